/** Which waiting hosts a worker is to start and to stop: compared anew with every heartbeat, as all orders are. */
import { poolOfSpare, preparedPoolId } from '@headrace/core';
import type { HostOrders, HostStatus } from '@headrace/worker';
import type { Querier } from '../db/connect.ts';
import { decidePool, type PoolDecision } from './decide-pool.ts';
import { assignSpare, profileOf } from './pool-place.ts';
import {
  type CountedPoolRow,
  findHomeWorker,
  type HomeWorker,
  listCountedPools,
  listPoolHosts,
  type PoolHost,
  replacePoolHosts,
  savePeak,
} from './store.ts';

const idleMinutesDefault = 60;
const minuteMs = 60_000;
const poolsMax = 1_000;
/** The idle time is counted in minutes. */
const peakEveryMs = 10_000;
/** Of one worker with one heartbeat: a JVM takes a processor for seconds. */
const startsMax = 2;

/** The worker that keeps the hosts which wait; null while none is heard of. */
export function findHome(db: Querier): Promise<HomeWorker | null> {
  return findHomeWorker(db);
}

export interface SpareOptions {
  readonly db: Querier;
  readonly cores: number;
  readonly nowMs: number;
}

export async function orderSpares(
  workerId: string,
  hosts: readonly HostStatus[],
  options: SpareOptions,
): Promise<HostOrders> {
  const told = hosts.flatMap((host): PoolHost[] => {
    const poolId = poolOfSpare(host.clusterId);
    return poolId === null ? [] : [{ ...host, poolId }];
  });
  await recordTold(workerId, told, options.db);
  const ofPools = told.filter(({ poolId }) => poolId !== preparedPoolId);
  const pools = await listCountedPools(options.db, null, poolsMax);
  if (pools.length === 0)
    return { start: [], stop: ofPools.flatMap((host) => stopOf(host, 'its pool is gone')) };
  const isHome = (await findHomeWorker(options.db))?.workerId === workerId;
  const orders = { start: [], stop: [] } as {
    start: HostOrders['start'][number][];
    stop: HostOrders['stop'][number][];
  };
  for (const pool of pools) {
    const own = ofPools.filter(({ poolId }) => poolId === pool.poolId);
    const wanted = isHome ? await decide(pool, options) : 0;
    const fitting = own.filter(({ hostKey }) => hostKey.startsWith(`${profileOf(pool, options.cores)}-`));
    const unfit = own.filter((host) => !fitting.includes(host));
    orders.stop.push(...unfit.flatMap((host) => stopOf(host, 'its pool has changed')));
    const there = fitting.filter(({ state }) => state === 'starting' || state === 'running');
    orders.stop.push(
      ...there.slice(wanted).flatMap((host) => stopOf(host, 'its pool keeps fewer hosts now')),
    );
    const missing = Math.min(startsMax, wanted - there.length);
    for (let count = 0; count < missing; count += 1) orders.start.push(assignSpare(pool, options.cores));
  }
  const known = new Set(pools.map(({ poolId }) => poolId));
  const orphans = ofPools.filter(({ poolId }) => !known.has(poolId));
  orders.stop.push(...orphans.flatMap((host) => stopOf(host, 'its pool is gone')));
  return orders;
}

function stopOf({ hostKey, state }: PoolHost, message: string): HostOrders['stop'] {
  if (state === 'failed' || state === 'stopping') return [];
  return [{ hostKey, message, isReplaced: true, ifIdle: false }];
}

async function recordTold(workerId: string, told: readonly PoolHost[], db: Querier): Promise<void> {
  const text = (hosts: readonly PoolHost[]) =>
    hosts
      .map(({ poolId, hostKey, state, sparkState, message }) =>
        JSON.stringify([poolId, hostKey, state, sparkState, message]),
      )
      .sort()
      .join();
  if (text(await listPoolHosts(db, workerId)) !== text(told)) await replacePoolHosts(db, workerId, told);
}

async function decide(pool: CountedPoolRow, { db, nowMs }: SpareOptions): Promise<number> {
  const { fields, poolId, peak, peakAtMs } = pool;
  const decided: PoolDecision = decidePool(
    {
      minIdle: fields.min_idle_instances ?? 0,
      capacityMax: fields.max_capacity ?? null,
      idleMs: (fields.idle_instance_autotermination_minutes ?? idleMinutesDefault) * minuteMs,
      used: pool.used + pool.pendingUsed,
      peak,
      peakAtMs,
    },
    nowMs,
  );
  const isNews = decided.peak !== peak || (peak > 0 && decided.peakAtMs - peakAtMs > peakEveryMs);
  if (isNews) await savePeak(db, { poolId, peak: decided.peak, peakAtMs: decided.peakAtMs });
  return decided.idle;
}
