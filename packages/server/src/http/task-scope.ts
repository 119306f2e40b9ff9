/**
 * What the token of a task does not open, whoever owns the task, administrators too: rules for others, and what would
 * outlive the attempt. Code that a task runs may be anybody's; what it leaves behind must be data, not rights.
 */
import type { RouteName } from '@headrace/api';

export const deniedToTasks = [
  // Rights that go on when the task has ended.
  'tokensCreate',
  'tokensDelete',
  'signInLinksCreate',
  'signOut',
  'workerTokensCreate',
  'workerTokensList',
  'workerTokensDelete',
  // Rules and compute of everybody.
  'clusterPoliciesCreate',
  'clusterPoliciesEdit',
  'clusterPoliciesDelete',
  'instancePoolsCreate',
  'instancePoolsEdit',
  'instancePoolsDelete',
  'clustersChangeOwner',
  'secretKeyGet',
  'secretKeyRotate',
  // What workers say to each other's server.
  'workersChallenge',
  'workersRegister',
  'workersClaim',
  'workersStart',
  'workersHeartbeat',
  'workersReport',
  'workersReportHost',
  'workersReadSecrets',
  'workersRelease',
  'workersSignOff',
] as const satisfies readonly RouteName[];
