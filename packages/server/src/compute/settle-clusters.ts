/**
 * Brings rows of all-purpose clusters to where the facts say they are. Every path asks the same pure decision with the
 * row locked, so that servers and reports that come at once agree, and a crash anywhere leaves what the next look finds.
 */
import { type ClusterFacts, type ClusterMove, decideCluster } from '@headrace/core';
import type { Querier } from '../db/connect.ts';
import type { Services } from '../services.ts';
import { insertClusterEvents } from './event-store.ts';
import { changeCluster, findUnsettled, type LifeChange, type LifeFactsRow, lockFacts } from './life-store.ts';
import { allPurposeHostKey } from './resolve-cluster.ts';

/** As the hosted product has it, where a cluster names none. */
export const autoterminationMinutesDefault = 120;
const minuteMs = 60_000;
/** A host that fails leads on to its cluster's end in two moves; more would be a circle. */
const movesMax = 5;

export interface SettleOptions {
  /**
   * Whether a worker whose lease has run out counts as gone. Not while servers or PostgreSQL may have been away: nobody
   * could renew then. Only the loop knows.
   */
  readonly trustsLeases: boolean;
}

/** The ids of those that moved. */
export async function settleUnsettled(
  { db, clock }: Pick<Services, 'db' | 'clock'>,
  options: SettleOptions,
): Promise<string[]> {
  const nowMs = clock.nowMs();
  const rows = await findUnsettled(db, nowMs);
  const moved: string[] = [];
  for (const row of rows) {
    // Most stand still: only those that move are locked and read again.
    if (decideCluster(toFacts(row, options), nowMs) === null) continue;
    if (await settleCluster({ db, clock }, row.clusterId, options)) moved.push(row.clusterId);
  }
  return moved;
}

/** Whether it moved. */
export async function settleCluster(
  { db, clock }: Pick<Services, 'db' | 'clock'>,
  clusterId: string,
  options: SettleOptions = { trustsLeases: false },
): Promise<boolean> {
  let moves = 0;
  while (moves < movesMax) {
    const hasMoved = await db.transaction((client) =>
      moveOnce(client, { clusterId, nowMs: clock.nowMs(), ...options }),
    );
    if (!hasMoved) break;
    moves += 1;
  }
  return moves > 0;
}

async function moveOnce(
  client: Querier,
  { clusterId, nowMs, ...options }: SettleOptions & { readonly clusterId: string; readonly nowMs: number },
): Promise<boolean> {
  const row = await lockFacts(client, clusterId, nowMs);
  const move = row && decideCluster(toFacts(row, options), nowMs);
  if (!row || !move) return false;
  await changeCluster(client, clusterId, toChange(move, row.state, nowMs));
  await insertClusterEvents(client, clusterId, move.news, nowMs);
  return true;
}

function toChange(
  { news: _, ...move }: ClusterMove,
  before: LifeFactsRow['state'],
  nowMs: number,
): LifeChange {
  return {
    ...move,
    ...(move.state === 'TERMINATED' ? { terminatedAtMs: nowMs, workerId: null } : {}),
    ...(move.state === 'RUNNING' ? { termination: null } : {}),
    // A recovery, such as after a restart of the server, is no use of it.
    ...(move.state === 'RUNNING' && before !== 'RESTARTING' ? { activeAtMs: nowMs } : {}),
    ...(move.state === 'RESTARTING' ? { restartedAtMs: nowMs } : {}),
  };
}

function toFacts(row: LifeFactsRow, { trustsLeases }: SettleOptions): ClusterFacts {
  const { autotermination_minutes: minutes = autoterminationMinutesDefault } = row.spec;
  return {
    ...row,
    isResizeDue: row.resizedInGeneration === row.generation,
    isWorkerThere: row.isWorkerThere || (!trustsLeases && row.workerId !== null),
    hosts: trustsLeases ? row.hosts : row.hosts.map((host) => ({ ...host, isWorkerThere: true })),
    ownHostKey: allPurposeHostKey(row.clusterId, row.ownerId, row.generation),
    autoterminationMs: minutes === 0 ? null : minutes * minuteMs,
  };
}
