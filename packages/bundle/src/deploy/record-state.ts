// The state of a deployment, as the server keeps it: the record of the current version, and what is under way beside it.

import type { BundleDeployment, BundleFile, BundleRecord, BundleResource } from '@headrace/api';
import { z } from 'zod';
import {
  type DeployedResource,
  type DeploymentState,
  parseDeploymentState,
  STATE_FILE,
  STATE_VERSION,
} from '../plan/deployment-state.ts';
import { findStrays, type SyncedFiles, UNKNOWN } from '../sync/plan-sync.ts';

/** A record of the server says what a resource was sent as, and beside it: */
const ResourceNotes = z.looseObject({
  adopted: z.array(z.unknown()).optional(),
  /** Nobody knows what was sent: a deployment of another time made it. */
  is_document_unknown: z.boolean().optional(),
  /** The document with references to other resources in the place of their ids. */
  unfilled: z.record(z.string(), z.unknown()).optional(),
});

/** What a deployment notes of resources that have routes of their own. */
export interface Pending {
  /** Begun, perhaps made. */
  readonly creating: readonly string[];
  /** Made or changed, and in no version yet. */
  readonly made: DeploymentState['resources'];
  /** In no version any more, and still there. */
  readonly deleting: DeploymentState['resources'];
  /** Files that were sent without a deployment since the current version. */
  readonly synced: SyncedFiles;
}

export const NOTHING_PENDING: Pending = { creating: [], made: {}, deleting: {}, synced: {} };

export function isPending({ creating, made, deleting, synced }: Pending): boolean {
  return creating.length + [made, deleting, synced].flatMap((each) => Object.keys(each)).length > 0;
}

export function readPending({ pending }: BundleDeployment): Pending {
  const fields = { ...NOTHING_PENDING, ...pending };
  return fields as Pending; // We wrote it.
}

/** Throws a ZodError for what no version of this program wrote. */
export function toState(deployment: BundleDeployment): DeploymentState {
  const { current, bundle, target } = deployment;
  const pending = readPending(deployment);
  const files = current?.files ?? [];
  const { synced } = pending;
  return parseDeploymentState({
    version: STATE_VERSION,
    serial: deployment.current_version,
    ...{ bundle, target },
    resources: { ...(current ? resourcesOf(current) : {}), ...pending.deleting, ...pending.made },
    files: {
      ...Object.fromEntries(
        files.flatMap((file) => {
          const remote = toRemotePath(file);
          // What stands there now is another: it is sent again.
          const hash = Object.hasOwn(synced, remote) ? UNKNOWN : file.hash;
          return file.local_path === undefined ? [] : [[file.local_path, { hash, remote_path: remote }]];
        }),
      ),
      // No local path begins with a slash.
      ...Object.fromEntries(
        Object.keys(findStrays(synced, files)).map((remote) => [
          remote,
          { hash: UNKNOWN, remote_path: remote },
        ]),
      ),
    },
    artifacts: current?.notes.artifacts ?? {},
    uploads: files.filter(isUpload).map(toRemotePath),
    // What is made and in no version yet is to be brought into one.
    creating: [...pending.creating, ...Object.keys(pending.made)],
  });
}

/** Remote path → hash, of what the current version has from local files. */
export function sourcesOf({ current }: BundleDeployment): ReadonlyMap<string, string> {
  const files = (current?.files ?? []).filter((file) => file.local_path !== undefined);
  return new Map(files.map((file) => [toRemotePath(file), file.hash]));
}

function resourcesOf({ resources }: BundleRecord): Record<string, unknown> {
  return Object.fromEntries(
    resources.map((resource) => {
      const { adopted, is_document_unknown: isUnknown } = ResourceNotes.parse(resource);
      const document = isUnknown ? null : resource.document;
      const { id, name } = resource;
      return [nameOf(resource), { id, name, document, ...(adopted ? { adopted } : {}) }];
    }),
  );
}

export function nameOf({ kind, key }: Pick<BundleResource, 'kind' | 'key'>): string {
  return `${kind}.${key}`;
}

/** Another name of the same place, by which the files of bundles are called. */
function toRemotePath({ path, remote_path: remote }: BundleFile): string {
  return typeof remote === 'string' ? remote : path;
}

function isUpload({ path, local_path: local }: BundleFile): boolean {
  return local === undefined && !path.endsWith(`/${STATE_FILE}`);
}

/** A job that is yet to be made has no id. */
export interface SentResource {
  readonly kind: string;
  readonly key: string;
  readonly id?: string;
  readonly name: string;
  readonly document: Record<string, unknown>;
  readonly [note: string]: unknown;
}

/** As it stands in a version; ids that are known only when it is there stand as references in `unfilled`. */
export function toResource(
  resource: string,
  { id, name, document, adopted }: Omit<DeployedResource, 'id'> & { readonly id: string | null },
  unfilled: Readonly<Record<string, unknown>> | null,
): SentResource {
  const dot = resource.indexOf('.');
  return {
    kind: resource.slice(0, dot),
    key: resource.slice(dot + 1),
    ...(id === null ? {} : { id }),
    name,
    document: { ...document },
    ...(document === null ? { is_document_unknown: true } : {}),
    ...(adopted === undefined ? {} : { adopted }),
    ...(unfilled === null ? {} : { unfilled }),
  };
}

/** What was sent, with references where ids stand. */
export function unfilledOf(resource: BundleResource): Readonly<Record<string, unknown>> {
  return ResourceNotes.parse(resource).unfilled ?? resource.document;
}
