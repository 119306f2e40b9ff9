/**
 * `npm run bench [-- NAME]`: medians, the machine and its load, and what bounds each number, measured in the same run.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { benchBundle } from './bench/bench-bundle.ts';
import { benchEngine } from './bench/bench-engine.ts';
import { benchEngineHistory } from './bench/bench-engine-history.ts';
import { benchEngineLarge } from './bench/bench-engine-large.ts';
import { benchEngineQueue } from './bench/bench-engine-queue.ts';
import { benchEngineSimulation } from './bench/bench-engine-simulation.ts';
import { benchHeartbeats } from './bench/bench-heartbeats.ts';
import { benchIdle } from './bench/bench-idle.ts';
import { benchProcesses } from './bench/bench-processes.ts';
import { benchRecovery } from './bench/bench-recovery.ts';
import { benchServers } from './bench/bench-servers.ts';
import { benchSpark, benchSparkCold, benchSparkSpare } from './bench/bench-spark.ts';
import { benchSparkGrowth } from './bench/bench-spark-growth.ts';
import { benchSql } from './bench/bench-sql.ts';
import { benchSqlCatalog } from './bench/bench-sql-catalog.ts';
import { benchSqlTpch } from './bench/bench-sql-tpch.ts';
import { benchStart } from './bench/bench-start.ts';
import { describeLoad, describeMachine } from './bench/statistics.ts';

const parts = {
  engine: { title: 'Engine alone (hosts in memory)', run: benchEngine },
  'engine-large': { title: 'Large runs', run: benchEngineLarge },
  'engine-history': { title: 'Beside a million ended runs', run: benchEngineHistory },
  'engine-queue': { title: 'Queued runs', run: benchEngineQueue },
  'engine-simulation': { title: 'Simulated histories', run: benchEngineSimulation },
  processes: { title: 'Real processes, warm host, without Spark', run: benchProcesses },
  spark: { title: 'Spark on a warm host', run: benchSpark },
  'spark-cold': { title: 'A cluster that starts for a job', run: benchSparkCold },
  'spark-spare': { title: 'A cluster that takes a waiting host', run: benchSparkSpare },
  'spark-growth': { title: 'What a host gathers over a thousand tasks', run: benchSparkGrowth },
  'sql-catalog': { title: 'Tables by name', run: benchSqlCatalog },
  'sql-tpch': { title: 'TPC-H at scale 0.1 through a warehouse', run: benchSqlTpch },
  'sql-statements': { title: 'Statements on a warm warehouse', run: benchSql },
  start: { title: 'headrace up and down', run: benchStart },
  servers: { title: 'Three servers against one (hosts in memory)', run: benchServers },
  recovery: { title: 'After kill -9', run: benchRecovery },
  heartbeats: { title: 'Running attempts to which nothing happens', run: benchHeartbeats },
  bundle: { title: 'Bundles', run: benchBundle },
  idle: { title: 'Idle', run: benchIdle },
};

const [wanted, ...rest] = process.argv.slice(2);
/** One of several, started by another of these processes. */
const isPart = rest.includes('--part');
const chosen = Object.entries(parts).filter(([name]) => wanted === undefined || isNamed(name, wanted));
if (chosen.length === 0) {
  console.error(`no benchmark is named ${wanted}; there are: ${Object.keys(parts).join(', ')}`);
  process.exit(2);
}
if (!isPart) console.log(describeMachine());
for (const [name, part] of chosen) {
  if (chosen.length === 1) await runHere(name, part);
  else runApart(name);
}

/** `engine` and `spark` are also the names of groups. */
function isNamed(name: string, wanted: string): boolean {
  return name === wanted || (!isPart && name.startsWith(`${wanted}-`));
}

async function runHere(name: string, { title, run }: (typeof parts)[keyof typeof parts]): Promise<void> {
  console.log(`\n${title} (${name}; ${describeLoad()})`);
  await run();
}

/** In a process of its own: no part pays for the heap of another. */
function runApart(name: string): void {
  const { status } = spawnSync(
    process.execPath,
    [...process.execArgv, fileURLToPath(import.meta.url), name, '--part'],
    { stdio: 'inherit' },
  );
  if (status !== 0) process.exitCode = 1;
}
