export type {
  AttemptRef,
  AttemptReport,
  AttemptSource,
  ClaimedAttempt,
  ClaimRequest,
  ClusterAssignment,
  HostReport,
  ResumedAttempt,
  StopRequest,
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
