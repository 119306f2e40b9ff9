/** What a host that waits for a cluster must be, and which clusters nothing can wait for. */
import crypto from 'node:crypto';
import { preparedPoolId, toHostKey, toSpareClusterId } from '@headrace/core';
import type { ClusterAssignment, PoolPlace } from '@headrace/worker';

/**
 * A host whose driver has done a small Delta write and nothing since took 401 MB in all, with a heap of 1 GB (PSS of its
 * processes, 2 cores, November 2026); the rest is for what it allocates while it waits. A larger heap is not touched.
 */
const waitingMb = 700;
/** These make a JVM take its heap at once. */
const takesHeap = /-Xms|AlwaysPreTouch/;
const heapDefaultMb = 1_024;

export function estimateWaitingMb(sparkConf: Readonly<Record<string, string>>): number {
  const options = `${sparkConf['spark.driver.extraJavaOptions'] ?? ''} ${sparkConf['spark.driver.defaultJavaOptions'] ?? ''}`;
  if (!takesHeap.test(options)) return waitingMb;
  return waitingMb + (parseMb(sparkConf['spark.driver.memory']) ?? heapDefaultMb);
}

/** As Spark writes sizes; without a unit they are MiB. */
function parseMb(text: string | undefined): number | null {
  const [, digits, unit = 'm'] = /^\s*(\d{1,9})\s*([kmgt]?)b?\s*$/i.exec(text ?? '') ?? [];
  if (digits === undefined) return null;
  const factor = { k: 1 / 1_024, m: 1, g: 1_024, t: 1_024 ** 2 }[unit.toLowerCase()] ?? 1;
  return Math.ceil(Number(digits) * factor);
}

/** What of a cluster is there before the first process is, or holds what others need; null: nothing. */
export function findObstacle(
  { initScripts, environment, sparkConf, executors }: ClusterAssignment,
  { hasExecutors }: { readonly hasExecutors: boolean },
): string | null {
  if (initScripts) return 'the cluster has init scripts';
  if (Object.keys(environment).length > 0) return 'the cluster has spark_env_vars';
  if (Object.values(sparkConf).some((value) => value.includes('{{')))
    return 'the configuration of the cluster has secrets';
  // They would be taken from those who have work for them.
  return hasExecutors && executors ? 'the cluster has executors of a Spark master' : null;
}

/** The whole configuration counts: sessions get nothing of it by themselves, as in pools that people make. */
export function profileOf({ sparkConf }: Pick<ClusterAssignment, 'sparkConf'>): string {
  const text = JSON.stringify(Object.entries(sparkConf).sort(([a], [b]) => (a < b ? -1 : 1)));
  return crypto.createHash('sha256').update(text).digest('hex').slice(0, 16);
}

export function profileOfKey(hostKey: string): string {
  return hostKey.replace(/-\d+$/, '');
}

export function placePrepared(name: string, refusal: string | null): PoolPlace {
  return {
    ...{ poolId: preparedPoolId, name, capacityMax: null, isSpare: false },
    ...(refusal !== null && { refusal }),
  };
}

export function assignPrepared(sparkConf: Readonly<Record<string, string>>, name: string): ClusterAssignment {
  return {
    clusterId: toSpareClusterId(preparedPoolId),
    clusterName: name,
    // With a number at its end the host waits for orders; see `generationOf`.
    hostKey: toHostKey(profileOf({ sparkConf }), crypto.randomInt(1, 1_000_000_000)),
    sparkConf,
    environment: {},
    idleMs: null,
    pool: { ...placePrepared(name, null), isSpare: true },
  };
}
