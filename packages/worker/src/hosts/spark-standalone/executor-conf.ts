/**
 * What Spark is told about the executors of a cluster. Decided from documents alone. What a user has set of it wins, but
 * for what makes catalogs, Delta and file systems work, which executors need in any case.
 */
import os from 'node:os';
import path from 'node:path';
import type { ClusterAssignment, ExecutorPlan } from '../../ports.ts';

/** Of an executor whose node type is not known: as Spark's own defaults have it, but not all cores of a machine. */
const unknownNode = { cores: 1, memory: '1g' };
/** Of a node; the rest is for Python's workers and what a JVM takes beside its heap. */
const heapShare = 0.7;
/** Partitions of a shuffle for each core: twice as many evens out tasks of different length. */
const partitionsPerCore = 2;
const partitions = { min: 4, max: 200 } as const;
/** A cloud gives machines within minutes; where machines stand already, seconds are enough. */
const waitSecondsDefault = 120;
export const waitConf = 'spark.headrace.executorWait';

export interface ExecutorFacts {
  /** As the setting names it. */
  readonly master: string;
  /** Of this machine, as the master and its workers reach it. */
  readonly driverAddress: string;
  readonly jars: readonly string[];
  readonly pythonPath: string;
  /** Processors of this machine. */
  readonly cores: number;
}

/** What the runtime watches over, as its `config.json` has it. */
export interface ExecutorWatch {
  readonly master: string;
  readonly min: number;
  readonly max: number;
  readonly cores: number;
  readonly memory: string;
  readonly wait_seconds: number;
}

export interface ExecutorConf {
  /** On top of the cluster's own. */
  readonly conf: Readonly<Record<string, string>>;
  /** Null where Spark works on the driver alone. */
  readonly watch: ExecutorWatch | null;
}

export function toExecutorConf(
  { sparkConf, environment, executors, clusterName }: ClusterAssignment,
  facts: ExecutorFacts,
): ExecutorConf {
  const asked = sparkConf['spark.master'];
  const isOwnMaster = asked !== undefined && !asked.startsWith('local');
  if (executors === undefined) return isSetByUser(asked) ? { conf: {}, watch: null } : aloneOn(facts.cores);
  const watch = watchOf(executors, sparkConf, isOwnMaster ? asked : facts.master);
  const conf = {
    // What people see on the master's page.
    'spark.app.name': `Headrace: ${clusterName}`,
    ...addressOf(facts),
    ...sizeOf(executors, watch),
    ...reaping,
    ...(executors.min < executors.max ? scalingOf(executors) : {}),
    ...Object.fromEntries(
      Object.entries(environment).map(([name, value]) => [`spark.executorEnv.${name}`, value]),
    ),
    ...sparkConf,
    'spark.master': watch.master,
    'spark.executorEnv.PYTHONPATH': facts.pythonPath,
    // From the driver to machines that have no such paths; where they are, they are part of the class path, which
    // sessions with jars of their own need as well.
    'spark.jars': join(',', facts.jars, sparkConf['spark.jars']),
    'spark.executor.extraClassPath': join(
      path.delimiter,
      facts.jars,
      sparkConf['spark.executor.extraClassPath'],
    ),
  };
  return { conf, watch };
}

/** What the server gives a cluster without workers and without a master of its own. */
const masterDefault = 'local[2]';

function isSetByUser(master: string | undefined): boolean {
  return master !== undefined && master !== masterDefault;
}

/** At least two threads: with one, a stream and a query would wait for each other. */
function aloneOn(cores: number): ExecutorConf {
  return { conf: { 'spark.master': `local[${Math.max(2, cores)}]` }, watch: null };
}

function watchOf(
  { min, max, node }: ExecutorPlan,
  sparkConf: Readonly<Record<string, string>>,
  master: string,
): ExecutorWatch {
  const cores = Number(sparkConf['spark.executor.cores']);
  const heap = node === null ? unknownNode.memory : `${Math.floor(node.memoryMb * heapShare)}m`;
  return {
    ...{ master, min, max },
    cores: Number.isInteger(cores) && cores > 0 ? cores : (node?.cores ?? unknownNode.cores),
    memory: sparkConf['spark.executor.memory'] ?? heap,
    wait_seconds: toSeconds(sparkConf[waitConf]) ?? waitSecondsDefault,
  };
}

function addressOf({ driverAddress }: ExecutorFacts): Record<string, string> {
  return { 'spark.driver.host': driverAddress, 'spark.driver.bindAddress': driverAddress };
}

function sizeOf({ max }: ExecutorPlan, { cores, memory }: ExecutorWatch): Record<string, string> {
  const shuffled = Math.max(partitions.min, Math.min(partitions.max, max * cores * partitionsPerCore));
  return {
    'spark.executor.cores': String(cores),
    'spark.executor.memory': memory,
    // Without dynamic allocation a standalone master knows no number of executors, only one of cores.
    'spark.cores.max': String(max * cores),
    'spark.sql.shuffle.partitions': String(shuffled),
  };
}

/** A cancelled task that does not listen ends with its executor: Spark itself would let it go on beside the next attempt. */
const reaping = {
  'spark.task.reaper.enabled': 'true',
  'spark.task.reaper.killTimeout': '30s',
  'spark.task.reaper.threadDump': 'false',
} as const;

/** Executors that have shuffled rows stay until those are not needed any more: no service outside keeps them. */
function scalingOf({ min, max }: ExecutorPlan): Record<string, string> {
  return {
    'spark.dynamicAllocation.enabled': 'true',
    'spark.dynamicAllocation.shuffleTracking.enabled': 'true',
    'spark.dynamicAllocation.minExecutors': String(min),
    'spark.dynamicAllocation.initialExecutors': String(min),
    'spark.dynamicAllocation.maxExecutors': String(max),
  };
}

function join(separator: string, ours: readonly string[], theirs: string | undefined): string {
  return [...ours, ...(theirs ? [theirs] : [])].join(separator);
}

const secondsOf = { us: 1e-6, ms: 1e-3, s: 1, m: 60, min: 60, h: 3_600, d: 86_400 } as const;

/** As Spark writes a time: `90`, `90s`, `1500ms`, `5m`, `5min`, `1h`, `1d`; a part of a second counts as one. Null for what is none. */
export function toSeconds(text: string | undefined): number | null {
  const match = /^\s*(\d+)\s*(us|ms|s|m|min|h|d)?\s*$/i.exec(text ?? '');
  if (match === null) return null;
  const [, count = '', unit = 's'] = match;
  // The expression has no other units.
  return Math.ceil(Number(count) * secondsOf[unit.toLowerCase() as keyof typeof secondsOf]);
}

/** What is on Spark's own class path besides Spark: the executors' own Spark brings the rest. */
export function jarsBesideSpark(classPath: readonly string[], sparkHome: string): string[] {
  return classPath.filter((jar) => !jar.startsWith(path.join(sparkHome, 'jars') + path.sep));
}

export const coresHere = () => os.availableParallelism();
