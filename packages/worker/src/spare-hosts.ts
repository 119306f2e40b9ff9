/** Hosts that wait in an instance pool, and whether one fits a cluster. Decided from documents alone. */
import { isDeepStrictEqual } from 'node:util';
import { poolOfSpare, preparedPoolId } from '@headrace/core';
import type { HostSetup } from './hosts/host-backend.ts';
import type { ClusterAssignment, ExecutorPlan, PoolPlace } from './ports.ts';

/** More would hide the first ones. */
const shownMax = 5;

/** What keeps a host with this set-up from being the cluster's; empty: nothing. */
export function findDifferences(cluster: ClusterAssignment, { sparkConf, executors }: HostSetup): string[] {
  const names = [...new Set([...Object.keys(cluster.sparkConf), ...Object.keys(sparkConf)])].sort();
  return [
    ...(cluster.initScripts ? ['the cluster has init scripts'] : []),
    ...(executors === undefined || isDeepStrictEqual(cluster.executors ?? null, executors)
      ? []
      : [`the cluster has ${describePlan(cluster.executors)}, the waiting host ${describePlan(executors)}`]),
    ...Object.keys(cluster.environment).map((name) => `spark_env_vars.${name} is set`),
    ...names
      .filter((name) => cluster.sparkConf[name] !== sparkConf[name])
      .map(
        (name) => `${name} is ${cluster.sparkConf[name] ?? 'not set'}, not ${sparkConf[name] ?? 'left out'}`,
      ),
  ];
}

function describePlan(plan: ExecutorPlan | null | undefined): string {
  if (!plan) return 'no executors';
  const { min, max, node } = plan;
  const size = node === null ? '' : ` of ${node.cores} cores and ${node.memoryMb} MB`;
  return `${min === max ? max : `${min} to ${max}`} executors${size}`;
}

/** Of hosts that wait for jobs the name tells the job that this cluster is of; it is empty where none was expected. */
export function explainTaken({ name, poolId }: PoolPlace): string {
  if (poolId !== preparedPoolId) return `it took a waiting host of instance pool '${name}' (${poolId})`;
  return `it took a waiting host, prepared for ${name === '' ? 'another expected job' : name}`;
}

/**
 * Why the cluster starts cold; null where nobody could expect anything else. `waiting` is the set-up of a host that
 * waits; null where none does.
 */
export function explainCold(
  cluster: ClusterAssignment,
  place: PoolPlace,
  waiting: HostSetup | null,
): string | null {
  const { name, poolId } = place;
  if (poolId === preparedPoolId) return explainUnprepared(place);
  const pool = `instance pool '${name}' (${poolId})`;
  if (waiting === null) return `${pool} has no idle host`;
  const differences = findDifferences(cluster, waiting);
  if (differences.length === 0) return `a host of this cluster was there before`;
  const shown = differences.slice(0, shownMax).join('; ');
  const more = differences.length > shownMax ? `; and ${differences.length - shownMax} more` : '';
  return `the idle hosts of ${pool} are set up otherwise: ${shown}${more}`;
}

function explainUnprepared({ name, refusal }: PoolPlace): string | null {
  if (name === '') return null;
  if (refusal !== undefined) return `nothing was prepared for ${name}: ${refusal}`;
  return `no host waits for ${name}: it was taken, does not run yet or could not start`;
}

export function isSpareOf({ clusterId }: { readonly clusterId: string }, poolId: string): boolean {
  return poolOfSpare(clusterId) === poolId;
}

/** Who has the hosts of a pool that is full. */
export function explainFull({ name, poolId, capacityMax }: PoolPlace, clusterIds: readonly string[]): string {
  const holders = clusterIds.slice(0, shownMax).map((clusterId) => `cluster ${clusterId}`);
  const more = clusterIds.length > shownMax ? ` and ${clusterIds.length - shownMax} more` : '';
  return `waits for instance pool '${name}' (${poolId}): all ${capacityMax} of its hosts are held by ${holders.join(', ')}${more}`;
}

export interface Bell {
  ring(): void;
  /** Until it rings, or the signal aborts. */
  wait(signal: AbortSignal): Promise<void>;
}

export function createBell(): Bell {
  const waiting = new Set<() => void>();
  return {
    ring() {
      for (const wake of [...waiting]) wake();
    },
    wait(signal) {
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting.add(resolve);
      signal.addEventListener('abort', () => resolve(), { once: true });
      return promise.finally(() => waiting.delete(resolve));
    },
  };
}
