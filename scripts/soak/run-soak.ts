/** The work of a soak: one cluster stays and is measured, the others come and go in lanes beside it. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '@headrace/api';
import type { InstalledServer } from '../bench/installed-server.ts';
import { type HostMeasure, measureHost } from './measure-host.ts';

export interface SoakPlan {
  readonly tasks: number;
  readonly clusters: number;
  readonly lanes: number;
}

export interface SoakResult {
  readonly elapsedMs: number;
  /** Tasks by how they ended; what is not SUCCESS comes with the first message. */
  readonly results: ReadonlyMap<string, number>;
  readonly messages: readonly string[];
  /** Of the cluster that stayed. */
  readonly before: HostMeasure;
  readonly after: HostMeasure;
  /** Hosts that were still there a while after their clusters had ended. */
  readonly hostsLeft: readonly string[];
  /** Processes of the state folder after `headrace down`. */
  readonly processesLeft: readonly string[];
}

type SubmitTask = NonNullable<Parameters<Client['runsSubmit']>[0]['tasks']>[number];

/** Spark's share: one of so many. */
const sparkEvery = 11;
const batchMax = 44;
/** The first measure comes late enough for caches to be full, the second after five times as much. */
const measuredMax = 1_000;
const warmShare = 0.2;
const patienceMs = 30 * 60_000;
const folder = '/Workspace/Shared/soak';

export async function runSoak(server: InstalledServer, plan: SoakPlan): Promise<SoakResult> {
  const startedAt = performance.now();
  await server.up();
  const client = await server.client();
  await upload(client);
  const soak = createSoak(client);
  const others = plan.clusters - 1;
  const measured = others === 0 ? plan.tasks : Math.min(measuredMax, Math.ceil(plan.tasks / 2));
  const shares = Array.from({ length: others }, (_, index) => {
    const rest = plan.tasks - measured;
    return Math.floor((rest * (index + 1)) / others) - Math.floor((rest * index) / others);
  });
  const lanes = Array.from({ length: plan.lanes }, async (_, lane) => {
    for (let index = lane; index < others; index += plan.lanes) {
      await soak.onCluster(`soak-${index + 1}`, (cluster) => soak.runTasks(cluster, shares[index] ?? 0));
    }
  });
  const watched = soak.onCluster('soak-0', async (cluster) => {
    const warm = Math.ceil(measured * warmShare);
    await soak.runTasks(cluster, warm);
    const before = await measureHost(client, cluster, `${folder}/collect.py`);
    await soak.runTasks(cluster, measured - warm);
    return { before, after: await measureHost(client, cluster, `${folder}/collect.py`) };
  });
  const [{ before, after }] = await Promise.all([watched, ...lanes]);
  const hostsLeft = await awaitHosts(client);
  await server.down();
  const processesLeft = server.findProcesses().map(({ pid, command }) => `${pid} ${command}`);
  const elapsedMs = performance.now() - startedAt;
  return {
    ...{ elapsedMs, results: soak.results, messages: soak.messages },
    ...{ before, after, hostsLeft, processesLeft },
  };
}

function createSoak(client: Client) {
  const results = new Map<string, number>();
  const messages: string[] = [];
  let started = 0;

  async function runBatch(cluster: string, count: number): Promise<void> {
    const tasks = Array.from({ length: count }, (): SubmitTask => {
      started += 1;
      const file = started % sparkEvery === 0 ? 'count.py' : 'light.py';
      const python_file = `${folder}/${file}`;
      return {
        ...{ task_key: `t${started}`, existing_cluster_id: cluster },
        spark_python_task: { python_file },
      };
    });
    const { run_id } = await client.runsSubmit({
      run_name: 'soak',
      tasks,
      timeout_seconds: patienceMs / 1_000,
    });
    for await (const event of client.runEvents({ run_id }, { signal: AbortSignal.timeout(patienceMs) })) {
      if (event.ended) break;
    }
    const { tasks: ended = [] } = await client.runsGet({ run_id });
    for (const { state, task_key } of ended) {
      const result = state?.result_state ?? 'none';
      results.set(result, (results.get(result) ?? 0) + 1);
      if (result !== 'SUCCESS') messages.push(`${task_key}: ${state?.state_message}`);
    }
    const sum = [...results.values()].reduce((total, number) => total + number, 0);
    console.log(`  ${sum} tasks ended`);
  }

  return {
    results,
    messages,
    async runTasks(cluster: string, count: number): Promise<void> {
      for (let left = count; left > 0; left -= batchMax) await runBatch(cluster, Math.min(left, batchMax));
    },
    async onCluster<T>(cluster_name: string, use: (cluster: string) => Promise<T>): Promise<T> {
      const { cluster_id } = await client.clustersCreate({
        ...{ cluster_name, spark_version: '16.4.x-scala2.13', num_workers: 0 },
        autotermination_minutes: 10,
      });
      const used = await use(cluster_id);
      await client.clustersDelete({ cluster_id });
      return used;
    },
  };
}

async function upload(client: Client): Promise<void> {
  const count = `from pyspark.sql import SparkSession
assert SparkSession.builder.getOrCreate().range(1000).selectExpr("sum(id)").first()[0] == 499500
`;
  // What the driver says of itself, when it has thrown away what it can.
  const collect = `import collections, gc, json, re
from pyspark.sql import SparkSession
jvm = SparkSession.builder.getOrCreate()._jvm
names = collections.Counter()
for thread in jvm.java.lang.management.ManagementFactory.getThreadMXBean().dumpAllThreads(False, False):
    names[re.sub("[0-9a-f]{6,}|[0-9]+", "#", thread.getThreadName())] += 1
gc.collect()
for _ in range(5):
    jvm.System.gc()
heap = jvm.java.lang.management.ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed()
print(json.dumps({"heap": heap, "threads": names}))
`;
  await client.workspaceMkdirs({ path: folder });
  const files = { 'light.py': 'print("light")\n', 'count.py': count, 'collect.py': collect };
  for (const [name, text] of Object.entries(files)) {
    const content = Buffer.from(text).toString('base64');
    await client.workspaceImport({ path: `${folder}/${name}`, format: 'RAW', content, overwrite: true });
  }
}

/** Clusters end at once; that of runs without one of their own stays. */
async function awaitHosts(client: Client): Promise<string[]> {
  const deadline = performance.now() + 120_000;
  for (;;) {
    const { hosts } = await client.status({});
    const left = hosts.filter(({ pid, cluster_id }) => pid !== null && cluster_id !== 'default');
    const names = left.map(({ cluster_id, state, pid }) => `${cluster_id} ${state} ${pid}`);
    if (names.length === 0 || performance.now() > deadline) return names;
    await delay(500);
  }
}
