// What a bundle is called, and which of its resources are in the workspace, for people and programs. Its form is described
// in docs/bundles/commands.md.

import type { BundleDeployment, BundleLock } from '@headrace/api';
import type { Deployed } from '../plan/deployment-state.ts';
import { kindOf, splitResource } from '../plan/kinds/kinds.ts';
import type { ResolvedBundle } from '../resolve/resolve-bundle.ts';
import type { ResolvedResource } from '../resolve/resolved-bundle.ts';
import { nameOf, readPending } from './record-state.ts';

export const RESOURCE_STATES = [
  'deployed',
  'not deployed',
  /** Somebody deleted it by hand: the next deploy makes it again. */
  'gone',
  /** No file names it any more: the next deploy deletes it. */
  'to be deleted',
] as const;

export interface SummarizedResource {
  /** `jobs.daily` */
  readonly resource: string;
  readonly kind: string;
  readonly key: string;
  readonly name: string;
  readonly id: string | null;
  /** null: not there, or of a kind that has no page. */
  readonly url: string | null;
  readonly state: (typeof RESOURCE_STATES)[number];
}

export interface BundleSummary {
  readonly bundle: string;
  readonly target: string;
  readonly mode: string | null;
  readonly host: string;
  readonly user_name: string;
  readonly root_path: string;
  /** null: nothing is deployed. */
  readonly version: {
    readonly version: number;
    readonly created_at: number;
    readonly created_by: string;
    readonly git_commit: string | null;
  } | null;
  /** Files that `bundle sync` has sent since. */
  readonly synced_files: number;
  readonly lock: BundleLock | null;
  readonly resources: readonly SummarizedResource[];
  readonly unsupported: readonly string[];
}

export function summarizeBundle(
  bundle: ResolvedBundle,
  deployed: Deployed,
  deployment: BundleDeployment | null = null,
): BundleSummary {
  const { workspace } = bundle;
  const current = deployment?.current;
  return {
    ...{ bundle: bundle.name, target: bundle.target, mode: bundle.mode },
    ...{ host: workspace.host, user_name: workspace.userName, root_path: workspace.rootPath },
    version:
      current === undefined
        ? null
        : {
            version: current.version,
            created_at: current.created_at,
            created_by: current.created_by,
            git_commit: current.git?.commit ?? null,
          },
    synced_files: deployment === null ? 0 : Object.keys(readPending(deployment).synced).length,
    lock: deployment?.lock ?? null,
    resources: [
      ...bundle.resources.map((resource) => summarizeWanted(resource, workspace.host, deployed)),
      ...listLeft(bundle, deployed),
    ],
    unsupported: bundle.unsupported.map(({ kind, key }) => `${kind}.${key}`),
  };
}

function summarizeWanted(
  wanted: ResolvedResource,
  host: string,
  { state, remotes }: Deployed,
): SummarizedResource {
  const { kind, key, settings } = wanted;
  const resource = nameOf(wanted);
  const named = { resource, kind, key, name: String(kindOf(kind).nameOf(settings) ?? key) };
  const recorded = state.resources[resource];
  if (recorded === undefined) return { ...named, id: null, url: null, state: 'not deployed' };
  const { id } = recorded;
  if (!remotes.has(resource)) return { ...named, id, url: null, state: 'gone' };
  return { ...named, id, url: pageOf(host, kind, id), state: 'deployed' };
}

function listLeft(
  { resources, workspace }: ResolvedBundle,
  { state, remotes }: Deployed,
): SummarizedResource[] {
  const wanted = new Set(resources.map(nameOf));
  return Object.entries(state.resources).flatMap(([resource, { id, name }]): SummarizedResource[] => {
    const split = splitResource(resource);
    if (wanted.has(resource) || split === null || !remotes.has(resource)) return [];
    const url = pageOf(workspace.host, split.kind, id);
    return [{ resource, ...split, name, id, url, state: 'to be deleted' }];
  });
}

/** Of all kinds only jobs have pages so far. */
function pageOf(host: string, kind: string, id: string): string | null {
  return kind === 'jobs' ? `${host}/jobs/${id}` : null;
}
