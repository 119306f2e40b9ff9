/** The HTTP contract: routes, schemas, client, errors. */

export {
  AlertCondition,
  AlertDocument,
  AlertEvaluation,
  type AlertEvent,
  AlertFields,
  type AlertOperandColumn,
  type AlertOperandValue,
  alertEventsMax,
  alertStateNames,
  TextAlertDocument,
  TextAlertFields,
} from './alerts.ts';
export {
  BundleChanges,
  BundleDeployment,
  BundleFile,
  BundleGit,
  BundleLock,
  BundleRecord,
  BundleResource,
  BundleVersion,
  bundleContentBytesMax,
  bundleContentsMax,
  bundleFilesMax,
  bundleResourcesMax,
} from './bundle-deployments.ts';
export {
  CatalogInfo,
  catalogPageMax,
  comment,
  commentCharsMax,
  FullName,
  ObjectName,
  objectNameCharsMax,
  pageFields,
  recordFields,
  SchemaInfo,
} from './catalogs.ts';
export {
  type CallOptions,
  type Client,
  type ClientOf,
  type ClientOptions,
  createClient,
  UnreachableError,
} from './client.ts';
export {
  ClusterPolicy,
  ClusterPolicyFields,
  PolicyFamily,
  policyLibrariesMax,
  policyNameCharsMax,
} from './cluster-policies.ts';
export {
  AutoScale,
  ClusterDocument,
  ClusterEvent,
  type ClusterState,
  clusterEventsLimitMax,
  clusterStates,
  clustersListLimitMax,
  InitScript,
  LibrarySpec,
  NewCluster,
  NodeType,
  TerminationReason,
} from './clusters.ts';
export { User } from './current-user.ts';
export { DbfsFile, dbfsBlockBytesMax } from './dbfs.ts';
export { DoctorFinding, DoctorReport } from './doctor.ts';
export {
  ApiError,
  ErrorBody,
  type ErrorCode,
  type ErrorDetail,
  errorStatuses,
  retryWordings,
  toApiError,
  toErrorBody,
} from './errors.ts';
export { DirectoryEntry, directoryPageMax } from './files.ts';
export { describeIssue, formatIssue, formatIssues, formatPath } from './format-issues.ts';
export {
  findGitProvider,
  type GitProviderName,
  GitSource,
  gitNameCharsMax,
  gitProviders,
  gitUrlCharsMax,
  SparseCheckout,
  sparsePatternsMax,
} from './git.ts';
export { GitCredential, gitTokenCharsMax } from './git-credentials.ts';
export { InstancePoolDocument, InstancePoolFields } from './instance-pools.ts';
export {
  AccessControlList,
  CronSchedule,
  concurrentRunsMax,
  expandedElementsMax,
  HeadraceSettings,
  idempotencyTokenCharsMax,
  JobCluster,
  JobDocument,
  JobParameterDefinition,
  JobSettings,
  JobsCreateRequest,
  type JobsRunNowRequest,
  jobClustersMax,
  jobDescriptionCharsMax,
  jobNameCharsMax,
  jobParametersMax,
  jobsListLimitDefault,
  jobsListLimitMax,
  jobsPaths,
  QueueSettings,
  RunAs,
  TaskSelector,
  tagsMax,
} from './jobs.ts';
export { clusterLibrariesMax, LibraryFullStatus } from './libraries.ts';
export { NewQuery, QueryDocument, QueryFields, QueryParameter } from './queries.ts';
export {
  type RepairAction,
  RepairPreviewTask,
  RunsRepairRequest,
  repairActions,
  repairDefinitions,
} from './repairs.ts';
export { Repo, reposPageSize } from './repos.ts';
export {
  type Handlers,
  type Method,
  matchPath,
  type PathParameter,
  parseRequest,
  type RawBytes,
  type RequestInputOf,
  type RequestOf,
  type ResponseOf,
  type ResultOf,
  type Route,
  type RouteKind,
  type RoutePermission,
  type Routes,
  readPathParameters,
  route,
  routeKinds,
  routePermissions,
  type StreamedReply,
} from './route.ts';
export { type RouteName, routes } from './routes.ts';
export {
  DbtOutput,
  ForEachStats,
  type LifeCycleState,
  lifeCycleStates,
  NotebookCell,
  NotebookDocument,
  NotebookOutput,
  queueCodes,
  RepairHistoryItem,
  type ResultState,
  RunDocument,
  RunEvent,
  RunOutput,
  RunState,
  RunStatus,
  RunTaskDocument,
  resultStates,
  runTypes,
  type SqlWorkOutput,
  type StatusState,
  statusStates,
  type TerminationCode,
  terminationCodes,
  terminationTypes,
  triggerTypes,
} from './run-documents.ts';
export { PipelineParams, runParameterFields, runParametersMax } from './run-parameters.ts';
export {
  exportViews,
  logChunkBytesDefault,
  logChunkBytesMax,
  RunsSubmitRequest,
  runsListLimitDefault,
  runsListLimitMax,
  WhyFact,
} from './runs.ts';
export {
  SecretAcl,
  SecretKeyStatus,
  SecretMetadata,
  type SecretPermission,
  SecretScope,
  secretKeyStates,
  secretPermissions,
  secretScopesMax,
  secretsPerScopeMax,
  secretValueBytesMax,
} from './secrets.ts';
export { ServerStatus } from './server.ts';
export { readServerSentEvents } from './server-sent-events.ts';
export { DeliveredResult, EndpointStatement } from './sql-endpoints.ts';
export {
  inlineBytesMax,
  queryHistoryLimitMax,
  StatementDocument,
  StatementRequest,
  StatementResult,
  statementBytesMax,
} from './statements.ts';
export { ColumnInfo, columnsMax, DroppedTable, TableExtra, TableInfo, tableTypes } from './tables.ts';
export {
  type ConditionOp,
  ConditionTask,
  conditionOps,
  dependencyOutcomes,
  descriptionCharsMax,
  EmailNotifications,
  ForEachTask,
  findTaskKinds,
  forEachConcurrencyMax,
  forEachInputsMax,
  HealthRules,
  librariesMax,
  NestedTask,
  NotebookTask,
  NotificationSettings,
  PythonWheelTask,
  parametersMax,
  pathCharsMax,
  RunJobTask,
  RunTaskKey,
  runIfValues,
  runnableTaskKinds,
  runTaskKeyCharsMax,
  SparkJarTask,
  SparkPythonTask,
  SparkSubmitTask,
  type SqlTask,
  sources,
  Task,
  TaskDependency,
  TaskExtra,
  TaskKey,
  type TaskKind,
  taskFields,
  taskKeyCharsMax,
  taskKindFields,
  taskKinds,
  taskPlaceFields,
  tasksMax,
  WebhookNotifications,
} from './tasks.ts';
export { TemporaryCredentials } from './temporary-credentials.ts';
export { TokenInfo, tokenLifetimeSecondsMax } from './tokens.ts';
export { VolumeInfo, volumeTypes } from './volumes.ts';
export {
  clusterSizes,
  statementTimeoutSecondsMax,
  WarehouseDocument,
  WarehouseFields,
  type WarehouseState,
  warehousesListLimitMax,
} from './warehouses.ts';
export {
  epochMs,
  JsonValue,
  Nothing,
  textMap,
  wireBool,
  wireId,
  wireInt,
  wireIntBetween,
  wireOneOf,
  wireText,
} from './wire.ts';
export { AskedLabels, parseWorkerLabels, WorkerLabels, workerLabelsMax } from './worker-labels.ts';
export {
  AttemptReportDocument,
  ClaimedAttemptDocument,
  ClusterAssignmentDocument,
  type HostFactsDocument,
  HostStatusDocument,
  ResumedAttemptDocument,
  WorkerHostFacts,
  workerProtocol,
  workerSlotsMax,
  workerWaitMsMax,
} from './workers.ts';
export { WorkspaceObject, workspaceFormats, workspaceLanguages, workspaceObjectTypes } from './workspace.ts';
