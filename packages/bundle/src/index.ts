export { type PrepareOptions, prepareBundle } from './artifacts/prepare-bundle.ts';
export type { BundleClient } from './deploy/bundle-client.ts';
export { BundleError } from './deploy/bundle-error.ts';
export { type DeployOptions, type DeployStep, deployBundle } from './deploy/deploy-bundle.ts';
export { type Destroyed, destroyBundle, foldersOf } from './deploy/destroy-bundle.ts';
export { readDeployment } from './deploy/read-deployment.ts';
export { type BundleSummary, summarizeBundle } from './deploy/summarize-bundle.ts';
export { type LoadedBundle, loadBundle } from './load/load-bundle.ts';
export { readGit } from './load/read-git.ts';
export { toPlain } from './nodes.ts';
export type { Deployed, DeploymentState } from './plan/deployment-state.ts';
export type { Difference } from './plan/find-differences.ts';
export { type Plan, type PlannedAction, type PreparedBundle, planBundle } from './plan/plan-bundle.ts';
export { formatProblem, hasErrors, type Position, type Problem } from './problem.ts';
export { type ResolveInputs, resolveBundle } from './resolve/resolve-bundle.ts';
export type {
  GitFacts,
  ResolvedArtifact,
  ResolvedBundle,
  ResolvedJob,
  ResolvedPermission,
  ResolvedResource,
  ResolvedScript,
  SyncFile,
} from './resolve/resolved-bundle.ts';
export { RESOURCE_KINDS, type ResourceKind } from './resolve/resource-kinds.ts';
export { readWorkspaceHost } from './resolve/select-target.ts';
export type { WorkspaceFacts } from './resolve/workspace-paths.ts';
export { validateBundle } from './validate/validate-bundle.ts';
