/**
 * What people ask of a cluster: each request changes, with the row locked, what is wanted, and writes down that it did.
 * Starting and ending hosts is what workers do about it.
 */
import { ApiError, type AutoScale, NewCluster } from '@headrace/api';
import type { ClusterNews } from '@headrace/core';
import type { z } from 'zod';
import type { Principal } from '../context.ts';
import type { Querier } from '../db/connect.ts';
import { refuseUnstorable } from '../jobs/validate-settings.ts';
import type { Services } from '../services.ts';
import { findPrincipalByName } from '../tokens/find-principal.ts';
import { requireClusterSpec } from './check-cluster-spec.ts';
import { checkPoolId } from './check-clusters.ts';
import { toStoredSpec } from './create-cluster.ts';
import { insertClusterEvents } from './event-store.ts';
import { governSpec, refuseTooMany } from './govern-cluster.ts';
import {
  changeCluster,
  countRunningTasks,
  type LifeChange,
  type LifeRow,
  lockCluster,
  lockFacts,
} from './life-store.ts';
import { unknownCluster } from './list-clusters.ts';
import { countThreads } from './resolve-cluster.ts';

type ChangeServices = Pick<Services, 'db' | 'clock' | 'config'>;

interface Decision {
  readonly change: LifeChange;
  readonly news: readonly ClusterNews[];
  /** The tasks that run on its hosts end with them. */
  readonly endsHosts?: boolean;
}

interface Request {
  readonly services: ChangeServices;
  readonly clusterId: string;
  readonly principal: Principal;
}

/** Null of `decide`: it is so already. How many tasks it interrupts. */
function changeLocked(
  { services: { db, clock }, clusterId, principal }: Request,
  decide: (row: LifeRow, nowMs: number, client: Querier) => Promise<Decision | null> | Decision | null,
): Promise<number> {
  return db.transaction(async (client) => {
    const row = await lockCluster(client, clusterId);
    if (!row || row.deletedAtMs !== null) throw unknownCluster(clusterId);
    refuseOthers(row, principal);
    const nowMs = clock.nowMs();
    const decided = await decide(row, nowMs, client);
    if (decided === null) return 0;
    const { change, news, endsHosts = false } = decided;
    const interrupted = endsHosts ? await countRunningTasks(client, clusterId) : 0;
    await changeCluster(client, clusterId, change);
    await insertClusterEvents(client, clusterId, withInterrupted(news, interrupted), nowMs);
    return interrupted;
  });
}

/** The last of what is told is what ends the hosts. */
function withInterrupted(news: readonly ClusterNews[], interrupted: number): readonly ClusterNews[] {
  const last = news.at(-1);
  if (interrupted === 0 || last === undefined) return news;
  return [...news.slice(0, -1), { ...last, details: { ...last.details, interrupted_tasks: interrupted } }];
}

/** For what hangs on an all-purpose cluster: locked, and the principal's to change. */
export async function requireOwnCluster(
  client: Querier,
  clusterId: string,
  principal: Principal,
): Promise<void> {
  const row = await lockCluster(client, clusterId);
  if (!row || row.deletedAtMs !== null) throw unknownCluster(clusterId);
  refuseOthers(row, principal);
  if (row.kind !== 'all_purpose')
    throw new ApiError(
      'INVALID_PARAMETER_VALUE',
      `Cluster ${clusterId} takes no libraries: only all-purpose clusters do; name them in tasks or environments`,
    );
}

function refuseOthers({ kind, clusterId, ownerId, warehouseId }: LifeRow, principal: Principal): void {
  if (warehouseId !== null) throw isOfWarehouse(clusterId, warehouseId);
  if (kind === 'job')
    throw new ApiError(
      'INVALID_PARAMETER_VALUE',
      `Cluster ${clusterId} was made for a run and ends with it: cancel the run to end it earlier`,
    );
  if (principal.isAdmin || (kind === 'all_purpose' && ownerId === principal.id)) return;
  const whose =
    kind === 'default' ? 'the shared cluster is changed by administrators' : 'it is another user’s';
  throw new ApiError('PERMISSION_DENIED', `Cluster ${clusterId} cannot be changed: ${whose}`);
}

function isOfWarehouse(clusterId: string, warehouseId: string): ApiError {
  return new ApiError(
    'INVALID_PARAMETER_VALUE',
    `Cluster ${clusterId} is that of SQL warehouse ${warehouseId}: start, stop or edit the warehouse`,
  );
}

function refuseState({ clusterId, state }: LifeRow, wanted: string): ApiError {
  return new ApiError(
    'INVALID_STATE',
    `Cluster ${clusterId} is in unexpected state ${state ?? 'RUNNING'}: ${wanted}`,
  );
}

/** Also for others than its owner: a job of theirs would start it, too. */
/** Nothing runs on it yet. */
export async function startCluster({ services, clusterId, principal }: Request): Promise<number> {
  const { db, clock } = services;
  await db.transaction(async (client) => {
    const row = await lockCluster(client, clusterId);
    if (!row || row.deletedAtMs !== null) throw unknownCluster(clusterId);
    if (row.warehouseId !== null) throw isOfWarehouse(clusterId, row.warehouseId);
    if (row.kind !== 'all_purpose' || row.state !== 'TERMINATED')
      throw refuseState(row, 'only a terminated cluster can be started');
    await refuseTooMany(client, row);
    await beginAgain(client, row, { user: principal.userName }, clock.nowMs());
  });
  return 0;
}

/** A new generation of a cluster that nobody wants to run yet. */
export async function beginAgain(
  client: Querier,
  { clusterId, generation }: LifeRow,
  details: ClusterNews['details'],
  nowMs: number,
): Promise<void> {
  await changeCluster(client, clusterId, {
    wanted: 'running',
    state: 'PENDING',
    generation: generation + 1,
    workerId: null,
    termination: null,
    terminatedAtMs: null,
    startedAtMs: nowMs,
    activeAtMs: nowMs,
    message: 'it starts',
  });
  await insertClusterEvents(client, clusterId, [{ type: 'STARTING', details }], nowMs);
}

export function restartCluster(request: Request): Promise<number> {
  const { userName: user } = request.principal;
  return changeLocked(request, (row, nowMs) => {
    if (row.kind === 'all_purpose' && row.state !== 'RUNNING')
      throw refuseState(row, 'only a cluster that runs can be restarted');
    return {
      endsHosts: true,
      change: restarted(row, nowMs),
      news: [{ type: 'RESTARTING', details: { cause: 'USER_REQUEST', user } }],
    };
  });
}

/** The shared cluster has no state of its own: its hosts come and go with tasks. */
function restarted({ kind, generation }: LifeRow, nowMs: number): LifeChange {
  const change = { generation: generation + 1, restartedAtMs: nowMs };
  if (kind === 'default') return change;
  return { ...change, state: 'RESTARTING', activeAtMs: nowMs, message: 'it restarts' };
}

/** Terminates it. */
export function deleteCluster(request: Request): Promise<number> {
  return changeLocked(request, (row) => {
    refuseDefault(row, 'terminated');
    return row.wanted === 'terminated' ? null : terminated(request.principal);
  });
}

function terminated({ userName: username }: Principal): Decision {
  const termination = { code: 'USER_REQUEST', type: 'SUCCESS', parameters: { username } } as const;
  const news = [{ type: 'TERMINATING', details: { reason: termination, user: username } }];
  const change = { wanted: 'terminated', state: 'TERMINATING', termination, message: '' } as const;
  return { change, news, endsHosts: true };
}

export function permanentDeleteCluster(request: Request): Promise<number> {
  return changeLocked(request, (row, nowMs) => {
    refuseDefault(row, 'deleted');
    const ended = row.wanted === 'terminated' ? { change: {}, news: [] } : terminated(request.principal);
    return { ...ended, change: { ...ended.change, deletedAtMs: nowMs } };
  });
}

export function pinCluster(request: Request, { isPinned }: { readonly isPinned: boolean }): Promise<number> {
  const { userName: user } = request.principal;
  return changeLocked(request, (row, nowMs) => {
    refuseDefault(row, isPinned ? 'pinned' : 'unpinned');
    if ((row.pinnedAtMs !== null) === isPinned) return null;
    const type = isPinned ? 'PINNED' : 'UNPINNED';
    return { change: { pinnedAtMs: isPinned ? nowMs : null }, news: [{ type, details: { user } }] };
  });
}

function refuseDefault({ kind }: LifeRow, what: string): void {
  if (kind === 'default')
    throw new ApiError(
      'INVALID_PARAMETER_VALUE',
      `The shared cluster cannot be ${what}: tasks without a cluster need it`,
    );
}

/** Replaces what it is. */
export function editCluster(request: Request, asked: NewCluster): Promise<number> {
  refuseUnstorable(asked, 'cluster');
  return changeLocked(request, async (row, nowMs, client) => {
    await checkPoolId(client, asked, request.services.config);
    return edited(client, row, asked, { user: request.principal.userName, nowMs });
  });
}

/** Changes the fields that the mask names. */
export function updateCluster(
  request: Request,
  { mask, fields = {} }: { readonly mask: string; readonly fields?: NewCluster | undefined },
): Promise<number> {
  refuseUnstorable(fields, 'cluster');
  const names = mask.split(',').map((name) => name.trim());
  return changeLocked(request, async (row, nowMs, client) => {
    await checkPoolId(client, fields, request.services.config);
    const kept = Object.entries(row.spec).filter(([name]) => !isNamed(names, name));
    const given = Object.entries(fields).filter(([name]) => isNamed(names, name));
    const parsed = NewCluster.parse(Object.fromEntries([...kept, ...given]));
    return edited(client, row, parsed, { user: request.principal.userName, nowMs });
  });
}

/** A path into a field names the field: it is replaced whole. */
function isNamed(names: readonly string[], field: string): boolean {
  return names.some((name) => name === '*' || name === field || name.startsWith(`${field}.`));
}

async function edited(
  client: Querier,
  row: LifeRow,
  asked: NewCluster,
  { user, nowMs }: { readonly user: string; readonly nowMs: number },
): Promise<Decision> {
  const isRunning = row.kind === 'default' || row.state === 'RUNNING';
  if (!isRunning && row.state !== 'TERMINATED')
    throw refuseState(row, 'a cluster can be edited while it runs or is terminated');
  const governed = await governSpec(client, asked, { kind: 'all_purpose' });
  const spec = row.kind === 'default' ? governed.spec : toStoredSpec(governed.spec);
  const warnings = [...requireClusterSpec(spec), ...governed.warnings];
  if (isRunning) await refuseTooMany(client, { ...row, spec });
  const clusterName = row.kind === 'default' ? row.clusterName : spec.cluster_name || row.clusterName;
  const details = {
    user,
    attributes: spec,
    previous_attributes: row.spec,
    ...(warnings.length > 0 && { warnings }),
  };
  const news = [{ type: 'EDITED', details }];
  const change = { spec, warnings, clusterName };
  if (!isRunning) return { change, news };
  const restart = { type: 'RESTARTING', details: { cause: 'USER_REQUEST', user } };
  return { change: { ...change, ...restarted(row, nowMs) }, news: [...news, restart], endsHosts: true };
}

export interface Size {
  readonly num_workers?: number | undefined;
  readonly autoscale?: z.output<typeof AutoScale> | undefined;
}

/**
 * In local mode workers are threads, and those of a JVM are counted once: a host is replaced by one of the new size as
 * soon as nothing runs on it, and its events say so.
 */
export async function resizeCluster(request: Request, size: Size, cores: number): Promise<number> {
  const { autoscale, num_workers: workers } = size;
  if (autoscale === undefined && workers === undefined)
    throw new ApiError('INVALID_PARAMETER_VALUE', 'num_workers or autoscale: one of them is needed');
  return changeLocked(request, async (row, nowMs, client) => {
    if (row.kind === 'default' || row.state !== 'RUNNING')
      throw refuseState(row, 'only an all-purpose cluster that runs can be resized');
    const { num_workers: _, autoscale: __, ...rest } = row.spec;
    // Both given: autoscale counts.
    const spec: NewCluster =
      autoscale === undefined ? { ...rest, num_workers: workers } : { ...rest, autoscale };
    await governSpec(client, spec, { kind: 'all_purpose' });
    requireClusterSpec(spec);
    const facts = await lockFacts(client, row.clusterId, nowMs);
    const isSame = countThreads(spec, cores) === countThreads(row.spec, cores);
    const details = {
      cause: 'USER_REQUEST',
      user: request.principal.userName,
      cluster_size: sizeOf(spec),
      previous_cluster_size: sizeOf(row.spec),
    };
    if (facts?.isBusy && !isSame) {
      const did_not_expand_reason =
        'tasks run on it: a host of the new size takes the place of this one when none does any more';
      return {
        change: { spec, resizedInGeneration: row.generation },
        news: [{ type: 'RESIZING', details: { ...details, did_not_expand_reason } }],
      };
    }
    const generation = isSame ? row.generation : row.generation + 1;
    const message = 'it changes its size';
    const resized = isSame ? {} : { resizedInGeneration: row.generation };
    const change = { ...resized, spec, generation, state: 'RESIZING', message } as const;
    return { change, news: [{ type: 'RESIZING', details }] };
  });
}

function sizeOf({ num_workers: workers, autoscale }: NewCluster): Record<string, unknown> {
  return autoscale === undefined ? { num_workers: workers ?? 0 } : { autoscale };
}

export function changeClusterOwner(request: Request, ownerUserName: string): Promise<number> {
  return changeLocked(request, async (row, _nowMs, client) => {
    refuseDefault(row, 'given away');
    if (row.state !== 'TERMINATED') throw refuseState(row, 'terminate it before it changes hands');
    const owner = await findPrincipalByName(client, ownerUserName);
    if (!owner)
      throw new ApiError('INVALID_PARAMETER_VALUE', `owner_username: there is no user ${ownerUserName}`);
    const details = {
      user: request.principal.userName,
      owner: owner.userName,
      previous_owner: row.createdBy,
    };
    return {
      change: { ownerId: owner.id, createdBy: owner.userName },
      news: [{ type: 'EDITED', details }],
    };
  });
}
