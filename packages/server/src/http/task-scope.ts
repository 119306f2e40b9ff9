/**
 * What the token of a task does not open, whoever owns the task, administrators too: access beyond the attempt (tokens,
 * sessions, access lists of scopes that exist), and rules and compute of everybody. Code that a task runs may be
 * anybody's. All else that its owner may change it may change too, and that stays when it has ended: jobs, clusters and
 * their libraries, secrets and Git credentials of the owner's, files and tables.
 */
import type { RouteName } from '@headrace/api';

const denied = [
  // Rights that go on when the task has ended.
  'tokensCreate',
  'tokensDelete',
  'signInLinksCreate',
  'signOut',
  'workerTokensCreate',
  'workerTokensList',
  'workerTokensDelete',
  'secretAclsPut',
  'secretAclsDelete',
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

export const deniedToTasks: ReadonlySet<string> = new Set(denied);
