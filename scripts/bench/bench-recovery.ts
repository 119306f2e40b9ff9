/** After `kill -9`: how soon a server has its running tasks back, and how soon those of a dead host are known as lost. */
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '@headrace/api';
import pg from 'pg';
import { countRunning, type GatedTasks, prepareGatedTasks } from './gated-tasks.ts';
import { type InstalledServer, withInstalledServer } from './installed-server.ts';
import { describeLoad, inMs, median, percentile, printFigure, printRow } from './statistics.ts';

const hosts = 4;
const tasksPerHost = 50;
const tasks = hosts * tasksPerHost;
const kills = 5;
const reattachMax = 3_000;
const tasksOfHost = 20;
const lostMax = 2_000;
const lostPollMs = 10;
const lostWaitMs = 60_000;
const endWaitMs = 120_000;

export async function benchRecovery(): Promise<void> {
  if (process.platform !== 'linux') return console.log('skipped: needs the /proc of Linux');
  const environment = { HEADRACE_SLOTS: String(tasks), HEADRACE_REQUESTS_PER_MINUTE: '10000000' };
  await withInstalledServer(async (server) => {
    await server.up();
    const gated = await prepareGatedTasks(server);
    await benchServerKill(server, gated);
    await benchHostKill(server, gated);
  }, environment);
}

/** From the start of the command that brings the server back, with its own start, to every attempt under its new epoch. */
async function benchServerKill(server: InstalledServer, gated: GatedTasks): Promise<void> {
  const restart = async () => {
    await server.kill();
    return server.up();
  };
  await restart();
  const bare: number[] = [];
  for (let turn = 0; turn < kills; turn++) bare.push(await restart());

  const runIds: number[] = [];
  for (let host = 0; host < hosts; host++) runIds.push(await gated.start(tasksPerHost, { ownHost: true }));
  printRow(`${tasks} tasks run on ${hosts} hosts`, describeLoad(), '');
  const under: number[] = [];
  for (let turn = 1; turn <= kills; turn++) {
    under.push(await restart());
    await expectReattached(server, 1 + turn);
  }
  const floor = { value: median(bare), name: 'a restart under none' };
  printRow('kill -9, then up, under no task', inMs(floor.value), '');
  printFigure({
    what: `kill -9, then up, ${tasks} tasks re-attached, p50`,
    value: median(under),
    target: reattachMax,
    inUnits: inMs,
    floor,
  });
  printRow(`the slowest of ${kills}`, inMs(percentile(under, 1)), '');
  await gated.letThrough();
  await expectSuccess(await server.client(), runIds);
  if (gated.countBegun() !== tasks) throw new Error(`user code began ${gated.countBegun()} times`);
}

/** When the command says "ready", nothing may be left to do. */
async function expectReattached(server: InstalledServer, epoch: number): Promise<void> {
  const postgres = path.join(server.stateDir, 'postgres');
  const read = (name: string) => fs.readFileSync(path.join(postgres, name), 'utf8').trim();
  const login = { host: '127.0.0.1', user: 'headrace', database: 'postgres' };
  const db = new pg.Client({ ...login, port: Number(read('port')), password: read('password') });
  await db.connect();
  const { rows } = await db.query(
    `select count(*)::int as count from task_runs where state = 'running' and epoch = ${epoch}`,
  );
  await db.end();
  if (rows[0]?.count !== tasks) throw new Error(`${rows[0]?.count} of ${tasks} attempts are re-attached`);
}

async function expectSuccess(client: Client, runIds: readonly number[]): Promise<void> {
  const deadline = performance.now() + endWaitMs;
  for (const runId of runIds) {
    for (;;) {
      const { state, tasks: ended = [] } = await client.runsGet({ run_id: runId });
      if (state.result_state === 'SUCCESS' && ended.every(({ attempt_number }) => attempt_number === 0))
        break;
      if (state.life_cycle_state === 'TERMINATED' || performance.now() > deadline)
        throw new Error(`run ${runId} is ${JSON.stringify(state)} after the servers were killed`);
      await delay(100);
    }
  }
}

/** From the signal to the answer of the API that every task of the host has failed for its loss. */
async function benchHostKill(server: InstalledServer, gated: GatedTasks): Promise<void> {
  const client = await server.client();
  const one: number[] = [];
  const all: number[] = [];
  for (let turn = 0; turn < kills; turn++) {
    one.push(await timeLoss(1, { server, client, gated }));
    all.push(await timeLoss(tasksOfHost, { server, client, gated }));
  }
  const floor = { value: median(one), name: 'with one task' };
  printRow('kill -9 of a host, its one task lost', inMs(floor.value), '');
  printFigure({
    what: `kill -9 of a host, its ${tasksOfHost} tasks lost, p50`,
    value: median(all),
    target: lostMax,
    inUnits: inMs,
    floor,
  });
  printRow(`the slowest of ${kills}`, inMs(percentile(all, 1)), '');
}

async function timeLoss(
  count: number,
  { server, client, gated }: { server: InstalledServer; client: Client; gated: GatedTasks },
): Promise<number> {
  const runId = await gated.start(count, { ownHost: true });
  const hostPid = findHostOf(server, runId);
  const startedAt = performance.now();
  process.kill(hostPid, 'SIGKILL');
  while ((await countLost(client, runId)) < count) {
    if (performance.now() - startedAt > lostWaitMs)
      throw new Error(`${await countRunning(client, runId)} tasks of run ${runId} run on a dead host`);
    await delay(lostPollMs);
  }
  return performance.now() - startedAt;
}

async function countLost(client: Client, runId: number): Promise<number> {
  const { tasks: shown = [] } = await client.runsGet({ run_id: runId });
  return shown.filter(({ status }) => status?.termination_details?.code === 'DRIVER_ERROR').length;
}

function findHostOf({ stateDir }: InstalledServer, runId: number): number {
  const folder = path.join(stateDir, 'hosts');
  for (const hostKey of fs.readdirSync(folder)) {
    const file = path.join(folder, hostKey, 'host.json');
    if (!fs.existsSync(file)) continue;
    const record = JSON.parse(fs.readFileSync(file, 'utf8')) as { pid: number; cluster_id: string };
    if (record.cluster_id.startsWith(`job-${runId}-`)) return record.pid;
  }
  throw new Error(`run ${runId} has no host`);
}
