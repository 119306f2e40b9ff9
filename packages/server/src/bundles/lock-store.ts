/** The only SQL for deployments and their locks. A lock's times are those of the database's clock. */
import type { Querier } from '../db/connect.ts';
import { toStorableJson } from '../db/storable-json.ts';

export interface LockHolder {
  readonly user_name: string;
  readonly machine: string;
  readonly command: string;
}

export interface DeploymentRow {
  readonly deploymentId: number;
  readonly statePath: string;
  readonly target: string;
  readonly bundle: string;
  readonly currentVersion: number;
  readonly fence: number;
  /** Null: nobody holds the lock. */
  readonly lockHolder: LockHolder | null;
  readonly lockRequest: string | null;
  readonly lockSinceMs: number | null;
  readonly lockHeardMs: number | null;
  readonly pending: Readonly<Record<string, unknown>>;
  /** Now. */
  readonly nowMs: number;
}

const dbNow = '(extract(epoch from clock_timestamp()) * 1000)::bigint';
const columns = `deployment_id as "deploymentId", state_path as "statePath", target, bundle,
  current_version as "currentVersion", fence, lock_holder as "lockHolder", lock_request as "lockRequest",
  lock_since_ms as "lockSinceMs", lock_heard_ms as "lockHeardMs", pending, ${dbNow} as "nowMs"`;

export interface NewDeployment {
  readonly deploymentId: number;
  readonly statePath: string;
  readonly target: string;
  readonly bundle: string;
  readonly createdBy: number;
  readonly nowMs: number;
}

/** Nothing happens where there is one of the same place and target. */
export async function insertDeployment(db: Querier, row: NewDeployment): Promise<void> {
  await db.query({
    name: 'bundles-insert-deployment',
    text: `
insert into bundle_deployments (deployment_id, state_path, target, bundle, created_at_ms, created_by)
values ($1, $2, $3, $4, $5, $6)
on conflict (state_path, target) do nothing`,
    values: [row.deploymentId, row.statePath, row.target, row.bundle, row.nowMs, row.createdBy],
  });
}

export async function findDeployment(
  db: Querier,
  { statePath, target }: Pick<DeploymentRow, 'statePath' | 'target'>,
): Promise<DeploymentRow | null> {
  const rows = await db.query<DeploymentRow>({
    name: 'bundles-find-deployment',
    text: `
select ${columns}
from bundle_deployments
where state_path = $1
  and target = $2`,
    values: [statePath, target],
  });
  return rows[0] ?? null;
}

export async function readDeployment(db: Querier, deploymentId: number): Promise<DeploymentRow | null> {
  const rows = await db.query<DeploymentRow>({
    name: 'bundles-read-deployment',
    text: `
select ${columns}
from bundle_deployments
where deployment_id = $1`,
    values: [deploymentId],
  });
  return rows[0] ?? null;
}

/** Held until the transaction ends: a deployment changes by one request at a time. */
export async function lockDeployment(db: Querier, deploymentId: number): Promise<DeploymentRow | null> {
  const rows = await db.query<DeploymentRow>({
    name: 'bundles-lock-deployment',
    text: `
select ${columns}
from bundle_deployments
where deployment_id = $1
for update`,
    values: [deploymentId],
  });
  return rows[0] ?? null;
}

/** Null where another transaction holds it. */
export async function tryLockDeployment(db: Querier, deploymentId: number): Promise<DeploymentRow | null> {
  const rows = await db.query<DeploymentRow>({
    name: 'bundles-try-lock-deployment',
    text: `
select ${columns}
from bundle_deployments
where deployment_id = $1
for update skip locked`,
    values: [deploymentId],
  });
  return rows[0] ?? null;
}

/** By the next number, which it returns. */
export async function giveLock(
  db: Querier,
  deploymentId: number,
  {
    holder,
    request,
    bundle,
  }: { readonly holder: LockHolder; readonly request: string; readonly bundle: string },
): Promise<number> {
  const rows = await db.query<{ readonly fence: number }>({
    name: 'bundles-give-lock',
    text: `
update bundle_deployments
set fence = fence + 1, lock_holder = $2, lock_request = $3, bundle = $4,
  lock_since_ms = ${dbNow}, lock_heard_ms = ${dbNow}
where deployment_id = $1
returning fence`,
    values: [deploymentId, toStorableJson(holder), request, bundle],
  });
  return rows[0]?.fence ?? 0;
}

/** False when somebody else has it, or nobody. `pending` null: what was noted stays. */
export async function renewLock(
  db: Querier,
  deploymentId: number,
  { fence, pending }: { readonly fence: number; readonly pending: object | null },
): Promise<boolean> {
  const rows = await db.query({
    name: 'bundles-renew-lock',
    text: `
update bundle_deployments
set lock_heard_ms = ${dbNow}, pending = coalesce($3, pending)
where deployment_id = $1
  and fence = $2
  and lock_holder is not null
returning deployment_id`,
    values: [deploymentId, fence, pending && toStorableJson(pending)],
  });
  return rows.length > 0;
}

export async function releaseLock(db: Querier, deploymentId: number, fence: number): Promise<void> {
  await db.query({
    name: 'bundles-release-lock',
    text: `
update bundle_deployments
set lock_holder = null, lock_request = null, lock_since_ms = null, lock_heard_ms = null
where deployment_id = $1
  and fence = $2`,
    values: [deploymentId, fence],
  });
}

export async function setCurrentVersion(
  db: Querier,
  deploymentId: number,
  { version, pending }: { readonly version: number; readonly pending: object },
): Promise<void> {
  await db.query({
    name: 'bundles-set-current-version',
    text: `
update bundle_deployments
set current_version = $2, pending = $3, lock_heard_ms = ${dbNow}
where deployment_id = $1`,
    values: [deploymentId, version, toStorableJson(pending)],
  });
}

/** With its versions, the rows of its contents, and what was being placed. */
export async function deleteDeployment(db: Querier, deploymentId: number): Promise<void> {
  await db.query({
    name: 'bundles-delete-deployment',
    text: 'delete from bundle_deployments where deployment_id = $1',
    values: [deploymentId],
  });
}
