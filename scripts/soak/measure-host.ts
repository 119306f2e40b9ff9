/** What a host holds while none of its tasks runs: its own process, its zygote, and its driver after a collection. */
import fs from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '@headrace/api';
import { type Holdings, readHoldings } from '../bench/process-cost.ts';
import { childrenOf } from '../chaos/processes.ts';

export interface HostMeasure {
  readonly host: Holdings;
  readonly zygote: Holdings;
  readonly driver: Holdings;
  readonly heapBytes: number;
  /** Threads of the driver by name, without their numbers. */
  readonly threads: Readonly<Record<string, number>>;
}

/** Spark's pools keep threads that have nothing to do for a minute; an idle host warms Delta up meanwhile. */
const settleMs = 90_000;

export async function measureHost(client: Client, cluster: string, file: string): Promise<HostMeasure> {
  await delay(settleMs);
  const { hosts } = await client.status({});
  const pid = hosts.find(({ cluster_id, pid }) => cluster_id === cluster && pid !== null)?.pid;
  if (pid === undefined || pid === null) throw new Error(`cluster ${cluster} has no host`);
  const children = childrenOf(pid);
  const zygote = children.find((child) => commandOf(child).includes('headrace_runtime.zygote'));
  const driver = children.flatMap((child) => [child, ...childrenOf(child)]).find((child) => isJava(child));
  if (zygote === undefined || driver === undefined) {
    throw new Error(`host ${pid} lacks a zygote or a driver: ${children.map(commandOf).join('; ')}`);
  }
  const measured = {
    host: readHoldings(pid),
    zygote: readHoldings(zygote),
    driver: readHoldings(driver),
  };
  // Last of all: what a collection frees, Spark removes with threads of its pools.
  const answers: DriverAnswer[] = [];
  for (let turn = 0; turn < 3; turn++) answers.push(await collect(client, cluster, file));
  return {
    ...measured,
    heapBytes: Math.min(...answers.map(({ heap }) => heap)),
    threads: answers[0]?.threads ?? {},
  };
}

interface DriverAnswer {
  readonly heap: number;
  readonly threads: Readonly<Record<string, number>>;
}

async function collect(client: Client, cluster: string, python_file: string): Promise<DriverAnswer> {
  const tasks = [{ task_key: 'collect', existing_cluster_id: cluster, spark_python_task: { python_file } }];
  const { run_id } = await client.runsSubmit({ run_name: 'collect', tasks });
  for await (const event of client.runEvents({ run_id })) if (event.ended) break;
  const run = await client.runsGet({ run_id });
  const { log } = await client.taskLog({ run_id, task_run_id: run.tasks?.[0]?.run_id ?? 0 });
  const answer = log.split('\n').find((line) => line.startsWith('{"heap"'));
  if (answer === undefined) throw new Error(`the driver told nothing of itself: ${log}`);
  return JSON.parse(answer) as DriverAnswer;
}

const commandOf = (pid: number) => fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
const isJava = (pid: number) => fs.readlinkSync(`/proc/${pid}/exe`).endsWith('/java');
