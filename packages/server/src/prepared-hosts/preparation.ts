/**
 * Hosts that wait for jobs which will probably be started soon: a pool of the server's own, without a row. What is wished
 * is looked up by a loop; the worker of a server's own process hears with its heartbeats what to start and to end. Nothing
 * else is kept: the hosts are those that the worker tells of.
 */
import os from 'node:os';
import {
  byUrgency,
  decidePrepared,
  type Failure,
  type PreparedHost,
  poolOfSpare,
  preparedPoolId,
} from '@headrace/core';
import type { ClusterAssignment, HostOrders, HostStatus, HostStop, PoolPlace } from '@headrace/worker';
import type { ComputeFacts } from '../compute/resolve-cluster.ts';
import { findHome } from '../instance-pools/order-spares.ts';
import type { Loop } from '../loops/driver.ts';
import type { Services } from '../services.ts';
import { findExpectedJobs, hasBegun, noHabits } from './find-expected-jobs.ts';
import { findWishes, type Purpose, type Wish } from './find-wishes.ts';
import { assignPrepared, placePrepared, profileOfKey } from './wish-of-cluster.ts';

const loopName = 'prepared-hosts';
/** A job that is saved two minutes before it fires is seen in time. */
const everyMs = 10_000;
const mebibyte = 1_024 ** 2;
/** Of the machine: room for one on 6 GB, for two on 12. */
const budgetShare = 1 / 8;
const warmEveryMs = 60_000;
const warmedMax = 1_000;
const nothing: HostOrders = { start: [], stop: [] };

export interface Preparation {
  /** Of every server that has a worker of its own; null where nothing is to be prepared. */
  readonly loop: Loop | null;
  /** Where the cluster of a job may find a host that waits; null where none ever does. */
  placeFor(jobId: number | null): PoolPlace | null;
  /** What a worker is to do with hosts that wait. */
  order(workerId: string, hosts: readonly HostStatus[]): Promise<HostOrders>;
}

export function createPreparation(
  services: Pick<Services, 'db' | 'clock' | 'config' | 'log'>,
  readFacts: () => ComputeFacts,
): Preparation {
  const { db, clock } = services;
  const budgetMb = readBudgetMb(services.config);
  const habits = noHabits();
  let wishes: readonly Wish[] = [];
  let purposes: ReadonlyMap<number, Purpose> = new Map();
  /** Those that the budget had no room for when it was last decided. */
  let refused: ReadonlySet<number> = new Set();
  const toOrder = createOrders(services);

  async function look(): Promise<void> {
    const expected = await findExpectedJobs(db, habits, clock.nowMs());
    const found = await findWishes(services, expected, readFacts());
    wishes = found.wishes;
    purposes = found.purposes;
  }

  /** A run that began since the loop looked took its host: asked again right before another is started. */
  async function decide(told: readonly HostStatus[]) {
    const nowMs = clock.nowMs();
    const hosts = told.flatMap((host) => toPreparedHost(host, wishes));
    for (;;) {
      const open = toOpenWishes(wishes, told, nowMs);
      const decision = decidePrepared(open, hosts, budgetMb);
      const { start } = decision;
      if (start === null || !(await hasBegun(db, start.jobId, start.metFromMs))) return decision;
      wishes = wishes.map((wish) => (wish.jobId === start.jobId ? { ...wish, isMet: true } : wish));
    }
  }

  return {
    loop:
      budgetMb === 0
        ? null
        : {
            name: loopName,
            everyMs,
            async turn() {
              await look();
              return 'idle';
            },
          },
    placeFor(jobId) {
      if (budgetMb === 0) return null;
      const purpose = jobId === null ? undefined : purposes.get(jobId);
      if (purpose === undefined) return placePrepared('', null);
      const full = `the ${budgetMb} MB of HEADRACE_PREPARED_MEMORY_MB are kept for jobs that come earlier`;
      const isFull = jobId !== null && refused.has(jobId);
      return placePrepared(purpose.name, purpose.obstacle ?? (isFull ? full : null));
    },
    async order(workerId, hosts) {
      const told = hosts.filter(({ clusterId }) => poolOfSpare(clusterId) === preparedPoolId);
      if (told.length === 0 && wishes.length === 0) return nothing;
      const home = await findHome(db);
      if (home?.workerId !== workerId || !home.isLocal)
        return { start: [], stop: told.flatMap((host) => stopOf(host, 'another worker keeps such hosts')) };
      const decision = await decide(hosts);
      refused = new Set(decision.refused.filter(({ isMet }) => !isMet).map(({ jobId }) => jobId));
      return {
        ...toOrder(decision.start, hosts),
        stop: told
          .filter(({ hostKey }) => decision.stop.includes(hostKey))
          .flatMap((host) => stopOf(host, 'no job came for it')),
      };
    },
  };
}

/** A host of a cluster that is kept has its driver started; else a host is started that will wait. */
function createOrders({ clock, log }: Pick<Services, 'clock' | 'log'>) {
  /** By host key: a driver that does not start is not tried with every heartbeat. */
  const warmedAtMs = new Map<string, number>();

  return function toOrder(
    start: Wish | null,
    hosts: readonly HostStatus[],
  ): Pick<HostOrders, 'start' | 'warm'> {
    if (start === null) return { start: [] };
    const nowMs = clock.nowMs();
    const there = hosts.find(({ hostKey }) => hostKey === start.hostKey);
    if (there === undefined) {
      log.info({ job_id: start.jobId }, `a host is started for ${start.name}`);
      return { start: [assignPrepared(start.sparkConf, start.name)] };
    }
    const { hostKey, state } = there;
    const isEarly = nowMs - (warmedAtMs.get(hostKey) ?? Number.NEGATIVE_INFINITY) < warmEveryMs;
    if (state !== 'running' || isEarly) return { start: [] };
    log.info({ job_id: start.jobId, host_key: hostKey }, `Spark is started for ${start.name}`);
    if (warmedAtMs.size >= warmedMax) warmedAtMs.clear();
    warmedAtMs.set(hostKey, nowMs);
    return { start: [], warm: [{ hostKey, unusedMs: start.untilMs - nowMs }] };
  };
}

/** A cluster that names no pool may take a host that waits for jobs. */
export function withPrepared<Placed extends { readonly assignment: ClusterAssignment } | Failure>(
  placed: Placed,
  pool: PoolPlace | null,
): Placed {
  if ('code' in placed || pool === null || placed.assignment.pool !== undefined) return placed;
  return { ...placed, assignment: { ...placed.assignment, pool } };
}

/** Pods are not of this machine: there, pools say what waits. */
export function readBudgetMb({
  preparedMemoryMb,
  backend,
}: Pick<Services['config'], 'preparedMemoryMb' | 'backend'>): number {
  if (backend === 'kubernetes' || backend === 'none') return 0;
  const limit = process.constrainedMemory();
  const machine = limit > 0 ? Math.min(limit, os.totalmem()) : os.totalmem();
  return preparedMemoryMb ?? Math.floor((machine * budgetShare) / mebibyte);
}

/** Of jobs whose first tasks share a cluster that is kept, the most urgent one counts. */
function toOpenWishes(wishes: readonly Wish[], told: readonly HostStatus[], nowMs: number): Wish[] {
  const keys = new Set(told.map(({ hostKey }) => hostKey));
  const kept = new Map<string, Wish>();
  const open = wishes.filter(({ untilMs }) => nowMs <= untilMs);
  for (const wish of open) {
    if (wish.hostKey === null) continue;
    const other = kept.get(wish.hostKey);
    if (other === undefined || byUrgency(wish, other) < 0) kept.set(wish.hostKey, wish);
  }
  return open.flatMap((wish) => {
    if (wish.hostKey === null) return [wish];
    if (kept.get(wish.hostKey) !== wish) return [];
    return [keys.has(wish.hostKey) ? { ...wish, profile: wish.hostKey } : wish];
  });
}

/** Those that wait, and those of clusters that are kept, once their driver costs something. */
function toPreparedHost(host: HostStatus, wishes: readonly Wish[]): PreparedHost[] {
  const { hostKey, clusterId, state, sparkState } = host;
  if (state === 'failed') return [];
  const isSettled = state === 'running' && sparkState !== 'starting';
  if (poolOfSpare(clusterId) === preparedPoolId)
    return [{ hostKey, state, isSettled, profile: profileOfKey(hostKey) }];
  const isWished = wishes.some((wish) => wish.hostKey === hostKey);
  if (!isWished || state !== 'running' || !hasDriver(host)) return [];
  return [{ hostKey, state, isSettled, profile: hostKey }];
}

function hasDriver({ sparkState }: Pick<HostStatus, 'sparkState'>): boolean {
  return sparkState !== 'none' && sparkState !== 'failed';
}

function stopOf({ hostKey, state }: HostStatus, message: string): HostStop[] {
  if (state === 'failed' || state === 'stopping') return [];
  return [{ hostKey, message, isReplaced: true, ifIdle: false }];
}
