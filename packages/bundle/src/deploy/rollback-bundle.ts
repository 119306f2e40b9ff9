// Brings an earlier version back as a new one: its jobs and files in one commit, all else through its own routes.

import type { BundleDeployment, BundleRecord, BundleResource } from '@headrace/api';
import type { DeployedResource, DeploymentState } from '../plan/deployment-state.ts';
import { findDifferences } from '../plan/find-differences.ts';
import { kindOf, rankOf, splitResource } from '../plan/kinds/kinds.ts';
import { idsOf } from '../plan/plan-bundle.ts';
import type { Document, PlannedAction } from '../plan/planned-action.ts';
import { metadataPath } from '../plan/prepared-bundle.ts';
import { fillResourceIds } from '../plan/resource-ids.ts';
import type { ResolvedBundle } from '../resolve/resolve-bundle.ts';
import type { BundleClient } from './bundle-client.ts';
import { BundleError } from './bundle-error.ts';
import type { DeployOptions } from './deploy-bundle.ts';
import { withLock } from './hold-lock.ts';
import { findDeployment, readNow } from './read-deployment.ts';
import { nameOf, toState, unfilledOf } from './record-state.ts';
import { makeRelease, type Released } from './release.ts';

export interface Rollback {
  readonly bundle: ResolvedBundle;
  readonly state: DeploymentState;
  /** What it brings back. */
  readonly record: BundleRecord;
  readonly actions: readonly PlannedAction[];
  readonly filesChanged: number;
}

/** @param to a version; without it the one before the current one */
export async function planRollback(
  bundle: ResolvedBundle,
  client: BundleClient,
  to?: number,
): Promise<Rollback> {
  const deployment = await findDeployment(bundle, client, { hasJobs: true });
  const current = deployment?.current;
  if (!deployment || !current)
    throw problem(bundle, 'nothing is deployed here, and nothing can be brought back');
  const record = await readRecord(bundle, deployment, client, to);
  const state = toState(deployment);
  const remotes = await readNow(state, deployment, client);
  const wanted = record.resources.flatMap((resource) => planResource(resource, state, remotes));
  const names = new Set(record.resources.map(nameOf));
  const deletes = Object.entries(state.resources)
    .filter(([name]) => !names.has(name))
    .flatMap(([name, recorded]) => planDelete(name, recorded))
    .sort((a, b) => rankOf(b.kind) - rankOf(a.kind));
  const before = new Map(current.files.map(({ path, hash }) => [path, hash]));
  const changed = record.files.filter(({ path, hash }) => before.get(path) !== hash).length;
  const after = new Set(record.files.map(({ path }) => path));
  const removed = current.files.filter(({ path }) => !after.has(path)).length;
  return { bundle, state, record, actions: [...wanted, ...deletes], filesChanged: changed + removed };
}

async function readRecord(
  bundle: ResolvedBundle,
  { deployment_id, current_version: current }: BundleDeployment,
  client: BundleClient,
  to: number | undefined,
): Promise<BundleRecord> {
  const { versions } = await client.bundlesListVersions({ deployment_id });
  const before = versions.find(({ version }) => version < current);
  const version = to ?? before?.version;
  if (version === undefined) throw problem(bundle, `version ${current} is the only one that is kept`);
  if (version === current) throw problem(bundle, `version ${version} is the current one`);
  if (!versions.some((kept) => kept.version === version)) {
    const kept = versions.map((each) => each.version).join(', ');
    throw problem(bundle, `version ${version} is not kept; these are: ${kept}`);
  }
  return client.bundlesGetVersion({ deployment_id, version });
}

function planResource(
  wanted: BundleResource,
  state: DeploymentState,
  remotes: ReadonlyMap<string, Document>,
): PlannedAction[] {
  const resource = nameOf(wanted);
  const split = splitResource(resource);
  // One whose kind this program does not know is as it is.
  if (split === null) return [];
  const document = unfilledOf(wanted);
  const base = {
    resource,
    ...split,
    name: wanted.name,
    document,
    isLost: false,
    differences: [],
    adopted: [],
  };
  const recorded = state.resources[resource];
  const remote = remotes.get(resource);
  if (recorded === undefined || remote === undefined) return [{ ...base, action: 'create', id: null }];
  const { rules, recreateOn, toComparable } = kindOf(split.kind);
  const filled = fillResourceIds(document, idsOf(state));
  const shown = toComparable?.(remote, { document: filled, sent: recorded.document ?? {} }) ?? remote;
  const differences = findDifferences(shown, filled, rules).map((difference) => ({
    ...difference,
    origin: 'files' as const,
    recreates: recreateOn.includes(String(difference.steps[0])),
  }));
  const recreates = differences.some((difference) => difference.recreates);
  const action = differences.length === 0 ? 'unchanged' : recreates ? 'recreate' : 'update';
  return [{ ...base, action, id: recorded.id, differences }];
}

function planDelete(resource: string, { id, name }: DeployedResource): PlannedAction[] {
  const split = splitResource(resource);
  if (split === null) return [];
  return [
    {
      action: 'delete',
      resource,
      ...split,
      name,
      id,
      document: null,
      isLost: false,
      differences: [],
      adopted: [],
    },
  ];
}

export async function rollbackBundle(
  { bundle, state, record, actions }: Rollback,
  client: BundleClient,
  options: DeployOptions = {},
): Promise<Released> {
  const place = { statePath: bundle.workspace.statePath, target: bundle.target, bundle: bundle.name };
  const forceLock = options.forceLock === true || !bundle.deployment.lockEnabled;
  const { artifacts } = record.notes;
  const release = {
    ...{ place, state, actions, files: record.files },
    // All of them are with the version.
    contents: [],
    artifacts: (artifacts ?? {}) as DeploymentState['artifacts'], // A deployment wrote them.
    message: options.message ?? `back to version ${record.version}`,
    ...(record.git === undefined ? {} : { git: record.git as Record<string, string> }),
    rolledBackTo: record.version,
  };
  return withLock(client, place, { ...options, forceLock }, (lock) => {
    if (lock.currentVersion !== state.serial)
      throw problem(bundle, `somebody has deployed version ${lock.currentVersion} in the meantime`);
    return makeRelease(release, client, { lock, onStep: options.onStep ?? (() => undefined) });
  });
}

function problem(bundle: ResolvedBundle, message: string): BundleError {
  const file = metadataPath(bundle);
  return new BundleError([{ severity: 'error', message, file, line: 1, column: 1 }]);
}
