export { type PrepareOptions, prepareBundle } from './artifacts/prepare-bundle.ts';
export { bindResource, findResource, planBinding, unbindResource } from './deploy/bind-resource.ts';
export type { BundleClient } from './deploy/bundle-client.ts';
export { BundleError } from './deploy/bundle-error.ts';
export { type DeployOptions, deployBundle } from './deploy/deploy-bundle.ts';
export { type Destroyed, destroyBundle, foldersOf } from './deploy/destroy-bundle.ts';
export type { LockOptions } from './deploy/hold-lock.ts';
export { findDeployment, readDeployment } from './deploy/read-deployment.ts';
export type { DeployStep, Released } from './deploy/release.ts';
export { planRollback, type Rollback, rollbackBundle } from './deploy/rollback-bundle.ts';
export { type BundleSummary, summarizeBundle } from './deploy/summarize-bundle.ts';
export { type GenerateClient, generateJob } from './generate/generate-job.ts';
export { writeGenerated } from './generate/write-generated.ts';
export { type CreatedProject, createProject } from './init/create-project.ts';
export { findTemplate, listTemplates } from './init/find-template.ts';
export type { Question } from './init/template-schema.ts';
export { answerLookups, type LookupClient } from './load/answer-lookups.ts';
export { type LoadedBundle, loadBundle } from './load/load-bundle.ts';
export { readGit } from './load/read-git.ts';
export { readSources } from './load/read-sources.ts';
export { toPlain } from './nodes.ts';
export { type Deployed, type DeploymentState, parseDeploymentState } from './plan/deployment-state.ts';
export type { Difference } from './plan/find-differences.ts';
export { findIdlePermissions } from './plan/find-idle-permissions.ts';
export { describeLosses, findDrift, formatPlan, type PlanFormat } from './plan/format-plan.ts';
export { kindOf } from './plan/kinds/kinds.ts';
export { type PlanOptions, planBundle } from './plan/plan-bundle.ts';
export { findPlanChanges, PlanDocument, toPlanDocument } from './plan/plan-document.ts';
export type { Plan, PlannedAction, PlannedDifference } from './plan/planned-action.ts';
export type { PreparedBundle } from './plan/prepared-bundle.ts';
export { formatProblem, hasErrors, type Position, type Problem, showProblem } from './problem.ts';
export {
  LOOKUP_KINDS,
  type Lookup,
  type LookupAnswer,
  type LookupAnswers,
  type LookupKind,
} from './resolve/lookups.ts';
export { collectLookups, type ResolveInputs, resolveBundle } from './resolve/resolve-bundle.ts';
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
export { buildBundleJsonSchema } from './schema/bundle-json-schema.ts';
export { fingerprintFolder } from './sync/fingerprint-folder.ts';
export { type SyncClient, type SyncOptions, syncBundle } from './sync/sync-bundle.ts';
export { findNamedIds, type NamedId, warnOfUnknownId } from './validate/named-ids.ts';
export { type CheckedBundle, checkBundle, validateBundle } from './validate/validate-bundle.ts';
