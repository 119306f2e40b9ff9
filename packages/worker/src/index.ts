export type { FakeBackend, FakeBackendOptions } from './hosts/fake/fake-backend.ts';
export { createFakeBackend } from './hosts/fake/fake-backend.ts';
export type { FakeBehaviour, FakeScript } from './hosts/fake/fake-script.ts';
export { findOtherHosts } from './hosts/find-other-hosts.ts';
export type { FoundHost, HostBackend, HostConnection, HostDeath } from './hosts/host-backend.ts';
export type { HostRuntime, LocalBackendOptions } from './hosts/local/local-backend.ts';
export { createLocalBackend, preimportDefault, readHostRuntime } from './hosts/local/local-backend.ts';
export type { BackendName, BackendOptions } from './hosts/open-backend.ts';
export { backendNames, openBackend, openKubernetes } from './hosts/open-backend.ts';
export { checkMaster } from './hosts/spark-standalone/reach-master.ts';
export type { HostFailureCode } from './hosts/start-errors.ts';
export type { WorkerLog } from './log.ts';
export type {
  AttemptRef,
  AttemptReport,
  AttemptSource,
  ClaimedAttempt,
  ClaimRequest,
  ClusterAssignment,
  ExecutorPlan,
  Heartbeat,
  HostOrders,
  HostReport,
  HostStatus,
  HostStop,
  InitScripts,
  NodeSize,
  PoolPlace,
  ResumedAttempt,
  StopRequest,
  WorkKind,
} from './ports.ts';
export type {
  AttemptDocument,
  LibraryDocument,
  NotebookDocument,
  ResultDocument,
  TaskDocument,
  TaskMessage,
} from './protocol.ts';
export { protocolVersion } from './protocol.ts';
export type { Worker, WorkerOptions } from './worker.ts';
export { startWorker } from './worker.ts';
