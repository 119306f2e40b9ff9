// What a deployment left in the workspace: the file `${state_path}/deployment.json`. It maps resources to ids, so names
// may change, and files to hashes, so that only what changed is sent.

import { z } from 'zod';

export const STATE_VERSION = 1;
export const STATE_FILE = 'deployment.json';

const BuiltWheel = z.object({
  /** As in the file name, normalized: `events_pipeline`. */
  package_name: z.string(),
  file_name: z.string(),
  content_hash: z.string(),
  remote_path: z.string(),
});
export type BuiltWheel = z.output<typeof BuiltWheel>;

export const DeploymentState = z.object({
  version: z.literal(STATE_VERSION),
  bundle: z.string(),
  target: z.string(),
  /** `jobs.<key>` → the job. */
  resources: z.record(z.string(), z.object({ id: z.int(), name: z.string() })),
  /** Local path → what was sent where. */
  files: z.record(z.string(), z.object({ hash: z.string(), remote_path: z.string() })),
  artifacts: z.record(z.string(), z.object({ source_hash: z.string(), wheels: z.array(BuiltWheel) })),
  /** Remote paths below artifact_path. */
  uploads: z.array(z.string()),
});
export type DeploymentState = z.output<typeof DeploymentState>;

export function emptyState(bundle: { readonly name: string; readonly target: string }): DeploymentState {
  return {
    version: STATE_VERSION,
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
  /** Settings by job id; a job that somebody deleted is absent. */
  readonly jobs: ReadonlyMap<number, Readonly<Record<string, unknown>>>;
}
