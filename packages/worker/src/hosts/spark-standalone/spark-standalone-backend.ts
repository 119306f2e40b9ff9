/**
 * Hosts are processes of this machine, as those of `local` are; the Spark driver of a cluster that asks for workers gets
 * executors from a master of Spark's own cluster manager.
 */
import type { HostBackend } from '../host-backend.ts';
import { createLocalBackend, type LocalBackendOptions } from '../local/local-backend.ts';
import { HostStartError } from '../start-errors.ts';
import { coresHere, jarsBesideSpark, toExecutorConf } from './executor-conf.ts';
import { reachMaster } from './reach-master.ts';

export interface SparkStandaloneOptions extends Omit<LocalBackendOptions, 'placeSpark'> {
  readonly master: string;
}

export function createSparkStandaloneBackend({ master, ...options }: SparkStandaloneOptions): HostBackend {
  const { spark } = options.runtime;
  const jars = spark === null ? [] : jarsBesideSpark(spark.classPath, spark.sparkHome);
  const backend = createLocalBackend({
    ...options,
    async placeSpark(cluster, signal) {
      const facts = { master, jars, pythonPath: options.pythonPath, cores: coresHere() };
      const planned = toExecutorConf(cluster, { ...facts, driverAddress: '127.0.0.1' });
      if (planned.watch === null) return planned;
      const driverAddress = await reach(planned.watch.master, signal);
      return toExecutorConf(cluster, { ...facts, driverAddress });
    },
  });
  return { ...backend, name: 'spark-standalone' };
}

/** A cluster without the master of its executors would only wait. */
async function reach(master: string, signal: AbortSignal | undefined): Promise<string> {
  try {
    return await reachMaster(master, signal && { signal });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new HostStartError('START_FAILURE', error instanceof Error ? error.message : String(error));
  }
}
