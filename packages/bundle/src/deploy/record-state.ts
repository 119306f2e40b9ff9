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
}

export const NOTHING_PENDING: Pending = { creating: [], made: {}, deleting: {} };

export function isPending({ creating, made, deleting }: Pending): boolean {
  return creating.length + Object.keys(made).length + Object.keys(deleting).length > 0;
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
  return parseDeploymentState({
    version: STATE_VERSION,
    serial: deployment.current_version,
    ...{ bundle, target },
    resources: { ...(current ? resourcesOf(current) : {}), ...pending.deleting, ...pending.made },
    files: Object.fromEntries(
      files.flatMap((file) =>
        file.local_path === undefined
          ? []
          : [[file.local_path, { hash: file.hash, remote_path: toRemotePath(file) }]],
      ),
    ),
    artifacts: current?.notes.artifacts ?? {},
    uploads: files.filter(isUpload).map(toRemotePath),
    creating: [...pending.creating],
  });
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
