// Makes a version of what a deployment wants: contents first, then what is no job through its own routes, then one commit
// of all files and jobs, then deletes of what is no job. Each step may be repeated, and the next deployment continues
// where one broke off.

import type { BundleFile, Client } from '@headrace/api';
import { applyAction } from '../plan/apply-action.ts';
import { type DeployedResource, type DeploymentState, STATE_FILE } from '../plan/deployment-state.ts';
import { nullIfAbsent } from '../plan/kinds/is-absent.ts';
import type { KindClient } from '../plan/kinds/kind-definition.ts';
import { idsOf } from '../plan/plan-bundle.ts';
import type { PlannedAction } from '../plan/planned-action.ts';
import { referencesIn } from '../plan/resource-ids.ts';
import { toRecord } from '../plan/to-record.ts';
import { findStrays, type SyncedFiles } from '../sync/plan-sync.ts';
import type { HeldLock, LockClient } from './hold-lock.ts';
import { insist } from './insist.ts';
import { isPending, type Pending, readPending, toResource } from './record-state.ts';
import { type Content, findMissing, uploadContents } from './upload-contents.ts';

export type ReleaseClient = KindClient &
  LockClient &
  Pick<
    Client,
    'bundlesGet' | 'bundlesFindMissing' | 'bundlesPutContents' | 'bundlesCommit' | 'workspaceDelete'
  >;

export type DeployStep =
  | { readonly kind: 'uploading'; readonly libraries: number; readonly files: number }
  | {
      readonly kind: 'created' | 'updated' | 'recreated' | 'deleted';
      readonly resource: string;
      readonly name: string;
      readonly id: string;
    }
  | { readonly kind: 'removed'; readonly files: number }
  | { readonly kind: 'committed'; readonly version: number };

export interface Release {
  readonly place: { readonly statePath: string; readonly target: string; readonly bundle: string };
  /** What it stands on. */
  readonly state: DeploymentState;
  /** Of all resources that are wanted or go, in their order. */
  readonly actions: readonly PlannedAction[];
  readonly files: readonly BundleFile[];
  readonly contents: readonly Content[];
  readonly artifacts: DeploymentState['artifacts'];
  readonly message?: string;
  readonly git?: { readonly branch?: string; readonly commit?: string; readonly origin?: string };
  readonly rolledBackTo?: number;
}

export interface Released {
  readonly version: number;
  readonly deploymentId: number;
}

type OnStep = (step: DeployStep) => void;

/** Under the lock, which says that nobody has deployed since. */
export async function makeRelease(
  release: Release,
  client: ReleaseClient,
  { lock, onStep }: { readonly lock: HeldLock; readonly onStep: OnStep },
): Promise<Released> {
  await bringContents(release, client, { lock, onStep });
  const making = new Making(release, client, lock, onStep);
  await making.begin();
  for (const action of release.actions)
    if (action.kind !== 'jobs' && action.action !== 'delete') await making.apply(action);
  const version = await making.commit();
  for (const action of release.actions)
    if (action.kind !== 'jobs' && action.action === 'delete') await making.delete(action);
  await making.removeStrays();
  return { version, deploymentId: lock.deploymentId };
}

async function bringContents(
  { contents, files }: Release,
  client: ReleaseClient,
  { lock, onStep }: { readonly lock: HeldLock; readonly onStep: OnStep },
): Promise<void> {
  const missing = await findMissing(client, lock, contents);
  if (missing.length === 0) return;
  const isMissing = new Set(missing.map(({ hash }) => hash));
  const sent = files.filter(({ hash, path }) => isMissing.has(hash) && !path.endsWith(`/${STATE_FILE}`));
  const sources = sent.filter((file) => file.local_path !== undefined).length;
  if (sent.length > 0) onStep({ kind: 'uploading', files: sources, libraries: sent.length - sources });
  await uploadContents(client, lock, missing);
}

const DONE = { create: 'created', update: 'updated', recreate: 'recreated', delete: 'deleted' } as const;

class Making {
  private readonly release: Release;
  private readonly client: ReleaseClient;
  private readonly lock: HeldLock;
  private readonly onStep: OnStep;
  private readonly ids: Map<string, string>;
  private creating: string[] = [];
  private made: Record<string, DeployedResource> = {};
  private deleting: Record<string, DeployedResource> = {};
  private synced: SyncedFiles = {};

  constructor(release: Release, client: ReleaseClient, lock: HeldLock, onStep: OnStep) {
    this.release = release;
    this.client = client;
    this.lock = lock;
    this.onStep = onStep;
    this.ids = new Map(idsOf(release.state));
  }

  /** What an earlier deployment left half done stays known. */
  async begin(): Promise<void> {
    const { statePath: state_path, target } = this.release.place;
    const pending = readPending(await this.client.bundlesGet({ state_path, target }));
    const { creating, made, deleting } = pending;
    this.creating = [...creating];
    this.made = { ...made };
    this.deleting = { ...deleting };
    this.synced = pending.synced;
  }

  async apply(action: PlannedAction): Promise<void> {
    const { resource, name } = action;
    if (action.action === 'create' || action.action === 'recreate') {
      this.creating = [...new Set([...this.creating, resource])];
      await this.note();
    }
    const plan = { state: this.release.state };
    const id = await applyAction(action, { plan, ids: this.ids, client: this.client });
    if (id === null) return;
    this.ids.set(resource, id);
    this.creating = this.creating.filter((other) => other !== resource);
    if (action.action === 'unchanged') return;
    this.made = { ...this.made, [resource]: toRecord(action, this.ids, id) };
    await this.note();
    this.onStep({ kind: DONE[action.action], resource, name, id });
  }

  async commit(): Promise<number> {
    const { release, lock } = this;
    lock.check();
    const gone = release.actions.filter(({ action }) => action === 'delete');
    const deletedJobs = gone.filter(({ kind }) => kind === 'jobs');
    this.deleting = Object.fromEntries(
      gone.flatMap(({ kind, resource }): [string, DeployedResource][] => {
        const recorded = release.state.resources[resource];
        return kind === 'jobs' || recorded === undefined ? [] : [[resource, recorded]];
      }),
    );
    const request = {
      ...{ deployment_id: lock.deploymentId, fence: lock.fence, request_id: crypto.randomUUID() },
      expected_version: lock.currentVersion,
      ...(release.message === undefined ? {} : { message: release.message }),
      ...(release.git === undefined ? {} : { git: release.git }),
      ...(release.rolledBackTo === undefined ? {} : { rolled_back_to: release.rolledBackTo }),
      resources: this.resources(),
      delete_jobs: deletedJobs.map(({ id }) => Number(id)),
      files: [...release.files],
      notes: { artifacts: release.artifacts },
      pending: {
        ...this.pending({ creating: [], made: {}, synced: findStrays(this.synced, release.files) }),
      },
    };
    const committed = await insist(() => this.client.bundlesCommit(request));
    this.synced = request.pending.synced;
    this.creating = [];
    this.made = {};
    this.tell(committed.job_ids);
    const { files_removed: removed } = committed.changes;
    if (removed > 0) this.onStep({ kind: 'removed', files: removed });
    this.onStep({ kind: 'committed', version: committed.version });
    return committed.version;
  }

  private resources() {
    const { state, actions } = this.release;
    const named = new Set(actions.map(({ resource }) => resource));
    // What this version does not know stays recorded; the rest is in the order of making.
    const unknown = Object.entries(state.resources).filter(([resource]) => !named.has(resource));
    return [
      ...unknown.map(([resource, recorded]) => toResource(resource, recorded, null)),
      ...actions.filter(({ action }) => action !== 'delete').map((action) => this.toSent(action)),
    ];
  }

  private toSent(action: PlannedAction) {
    const { resource, kind } = action;
    const id = this.ids.get(resource) ?? null;
    const isNewJob = kind === 'jobs' && action.action === 'create';
    const record = toRecord(action, this.idsWithoutNewJobs(), id ?? '');
    const refers = action.document !== null && referencesIn(action.document).size > 0;
    const sent = toResource(
      resource,
      { ...record, id: isNewJob ? null : id },
      refers ? action.document : null,
    );
    if (kind !== 'jobs' || action.action === 'unchanged' || action.action === 'delete') return sent;
    return { ...sent, action: isNewJob ? ('create' as const) : ('update' as const) };
  }

  /** A job that is made in the same commit gets its id there. */
  private idsWithoutNewJobs(): ReadonlyMap<string, string> {
    const isNew = new Set(
      this.release.actions
        .filter(({ kind, action }) => kind === 'jobs' && action === 'create')
        .map(({ resource }) => resource),
    );
    return new Map([...this.ids].filter(([resource]) => !isNew.has(resource)));
  }

  private tell(jobIds: Readonly<Record<string, number>>): void {
    for (const { kind, action, resource, name, id } of this.release.actions) {
      if (kind !== 'jobs' || action === 'unchanged') continue;
      this.onStep({ kind: DONE[action], resource, name, id: String(jobIds[resource] ?? id ?? '') });
    }
  }

  async delete(action: PlannedAction): Promise<void> {
    await applyAction(action, { plan: { state: this.release.state }, ids: this.ids, client: this.client });
    const { [action.resource]: _, ...left } = this.deleting;
    this.deleting = left;
    await this.note();
    this.onStep({ kind: 'deleted', resource: action.resource, name: action.name, id: action.id ?? '' });
  }

  /** Files that were sent without a deployment, and that the version has not. */
  async removeStrays(): Promise<void> {
    const strays = Object.keys(this.synced);
    if (strays.length === 0) return;
    for (const path of strays) await nullIfAbsent(this.client.workspaceDelete({ path }));
    this.synced = {};
    await this.note();
    this.onStep({ kind: 'removed', files: strays.length });
  }

  private pending(more: Partial<Pending> = {}): Pending {
    const { creating, made, deleting, synced } = this;
    return { creating, made, deleting, synced, ...more };
  }

  private async note(): Promise<void> {
    this.lock.check();
    const pending = this.pending();
    const { deploymentId: deployment_id, fence } = this.lock;
    await this.client.bundlesRenewLock({
      ...{ deployment_id, fence },
      pending: isPending(pending) ? { ...pending } : {},
    });
  }
}
