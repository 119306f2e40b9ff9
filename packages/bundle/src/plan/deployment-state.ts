// What a deployment leaves behind, so that the next one knows what it stands on: resources by id, so names may change,
// with the documents that were sent, so that changes by hand can be told from changes in the files; and files by hash,
// so that only what changed is sent.

import { z } from 'zod';
import { DocumentPath } from './document-path.ts';

export const STATE_VERSION = 2;
export const STATE_FILE = 'deployment.json';

const BuiltFile = z.object({
  /** As in the name of a wheel, normalized: `events_pipeline`; of other files the name itself. */
  package_name: z.string(),
  file_name: z.string(),
  content_hash: z.string(),
  remote_path: z.string(),
});
export type BuiltFile = z.output<typeof BuiltFile>;

/** A field that somebody changed by hand, and that a deployment was told to leave so until the files change it. */
const AdoptedField = z.object({
  path: z.string(),
  steps: DocumentPath,
  /** What the files said then; absent: nothing. */
  file: z.unknown().optional(),
  /** What is kept in its place; absent: nothing. */
  kept: z.unknown().optional(),
});
export type AdoptedField = z.output<typeof AdoptedField>;

const DeployedResource = z.object({
  /** Ids that are numbers on the wire are texts here. */
  id: z.string(),
  name: z.string(),
  /** As it was sent last; null: that was not recorded. */
  document: z.record(z.string(), z.unknown()).nullable(),
  adopted: z.array(AdoptedField).optional(),
});
export type DeployedResource = z.output<typeof DeployedResource>;

const Resources = z.record(z.string(), DeployedResource);

export const DeploymentState = z.object({
  version: z.literal(STATE_VERSION),
  /** Grows by one with every deployment that changed something; 0: none yet. */
  serial: z.int().min(0),
  bundle: z.string(),
  target: z.string(),
  /** By `<kind>.<key>`, in the order in which they were made. */
  resources: Resources,
  /** Local path → what was sent where. */
  files: z.record(z.string(), z.object({ hash: z.string(), remote_path: z.string() })),
  artifacts: z.record(z.string(), z.object({ source_hash: z.string(), files: z.array(BuiltFile) })),
  /** Remote paths below artifact_path. */
  uploads: z.array(z.string()),
  /** Resources whose making was begun and not recorded: what looks like one of them is ours. */
  creating: z.array(z.string()).optional(),
});
export type DeploymentState = z.output<typeof DeploymentState>;

/** As the file `deployment.json` was written before documents were kept. */
const FirstState = z.object({
  ...DeploymentState.shape,
  version: z.literal(1),
  serial: z.undefined().optional(),
  resources: z.record(z.string(), z.object({ id: z.int(), name: z.string() })),
  artifacts: z.record(z.string(), z.object({ source_hash: z.string(), wheels: z.array(BuiltFile) })),
});

/** Throws a ZodError for what no version of this program wrote. */
export function parseDeploymentState(value: unknown): DeploymentState {
  const first = FirstState.safeParse(value);
  if (!first.success) return DeploymentState.parse(value);
  const { resources, artifacts, ...rest } = first.data;
  return {
    ...rest,
    version: STATE_VERSION,
    serial: 0,
    resources: Object.fromEntries(
      Object.entries(resources).map(([resource, { id, name }]) => [
        resource,
        { id: String(id), name, document: null },
      ]),
    ),
    artifacts: Object.fromEntries(
      Object.entries(artifacts).map(([name, { source_hash, wheels }]) => [
        name,
        { source_hash, files: wheels },
      ]),
    ),
  };
}

export function emptyState(bundle: { readonly name: string; readonly target: string }): DeploymentState {
  return {
    version: STATE_VERSION,
    serial: 0,
    bundle: bundle.name,
    target: bundle.target,
    resources: {},
    files: {},
    artifacts: {},
    uploads: [],
  };
}

/** What the server has now, beside the recorded state. */
export interface Deployed {
  readonly state: DeploymentState;
  /** false: nothing was ever deployed here. */
  readonly exists: boolean;
  /** The recorded resources as the server shows them now, by `<kind>.<key>`; one that somebody deleted is absent. */
  readonly remotes: ReadonlyMap<string, Readonly<Record<string, unknown>>>;
}
