/** Real Python tasks that wait, without cost, until they are let through; each notes that its user code has begun. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '@headrace/api';
import type { InstalledServer } from './installed-server.ts';

const file = '/Workspace/Shared/bench/gated.py';
/** Whoever opens a pipe to read sleeps in the kernel until somebody opens it to write. */
const script = `
import sys
with open(sys.argv[2], "a") as begun:
    begun.write("begun\\n")
with open(sys.argv[1]) as gate:
    gate.read()
`;
const startWaitMs = 300_000;
const pollMs = 100;

export interface GatedTasks {
  /** One run of so many tasks, all of them in user code when it resolves; on a host of its own, or the shared one. */
  start(count: number, options: { readonly ownHost: boolean }): Promise<number>;
  /** How often user code has begun. */
  countBegun(): number;
  /** Lets all that wait run to their end. */
  letThrough(): Promise<void>;
}

export async function prepareGatedTasks(server: InstalledServer): Promise<GatedTasks> {
  const gate = path.join(server.stateDir, 'gate');
  const begun = path.join(server.stateDir, 'begun');
  if (spawnSync('mkfifo', [gate]).status !== 0) throw new Error('cannot make a pipe');
  fs.writeFileSync(begun, '');
  const client = await server.client();
  await client.workspaceMkdirs({ path: path.posix.dirname(file) });
  const content = Buffer.from(script).toString('base64');
  await client.workspaceImport({ path: file, format: 'RAW', content, overwrite: true });
  const countBegun = () => fs.readFileSync(begun, 'utf8').split('\n').length - 1;
  return {
    countBegun,
    async start(count, { ownHost }) {
      const before = countBegun();
      const now = await server.client();
      const { run_id } = await now.runsSubmit({
        run_name: 'gated',
        ...(ownHost ? { job_clusters: [{ job_cluster_key: 'own', new_cluster: { num_workers: 0 } }] } : {}),
        tasks: Array.from({ length: count }, (_, index) => ({
          task_key: `t${index}`,
          ...(ownHost ? { job_cluster_key: 'own' } : {}),
          spark_python_task: { python_file: file, parameters: [gate, begun] },
        })),
      });
      const deadline = performance.now() + startWaitMs;
      while (countBegun() - before < count || (await countRunning(now, run_id)) < count) {
        if (performance.now() > deadline) throw new Error(`the ${count} tasks of run ${run_id} do not run`);
        await delay(pollMs);
      }
      return run_id;
    },
    async letThrough() {
      const writer = await fs.promises.open(gate, 'w');
      await writer.close();
    },
  };
}

export async function countRunning(client: Client, runId: number): Promise<number> {
  const { tasks = [] } = await client.runsGet({ run_id: runId });
  return tasks.filter(({ state }) => state.life_cycle_state === 'RUNNING').length;
}
