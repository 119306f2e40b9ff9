import type { Handlers, routes } from '@headrace/api';
import type { RequestContext } from '../context.ts';
import type { RunServices } from '../runs/create-run.ts';
import { commitVersion } from './commit-version.ts';
import { findMissing, putContents } from './contents.ts';
import { destroyDeployment } from './destroy-deployment.ts';
import { giveLockBack, keepLock, takeLock } from './locks.ts';
import { listVersions, showDeployment, showVersion } from './show-deployments.ts';

type BundleHandlers = Pick<
  Handlers<typeof routes, RequestContext>,
  | 'bundlesGet'
  | 'bundlesLock'
  | 'bundlesRenewLock'
  | 'bundlesUnlock'
  | 'bundlesFindMissing'
  | 'bundlesPutContents'
  | 'bundlesCommit'
  | 'bundlesListVersions'
  | 'bundlesGetVersion'
  | 'bundlesDestroy'
>;

export function createBundleHandlers(services: RunServices): BundleHandlers {
  const { db } = services;
  return {
    bundlesGet: (request) => showDeployment(db, request),
    bundlesLock: (request, context) => takeLock(services, request, context),
    async bundlesRenewLock(request, { principal }) {
      await keepLock(services, request, principal);
      return {};
    },
    async bundlesUnlock(request, { principal }) {
      await giveLockBack(services, request, principal);
      return {};
    },
    bundlesFindMissing: async (request) => ({ missing: await findMissing(services, request) }),
    async bundlesPutContents(request, { principal }) {
      await putContents(services, request, principal);
      return {};
    },
    bundlesCommit: (request, context) => commitVersion(services, request, context),
    bundlesListVersions: (request) => listVersions(db, request),
    bundlesGetVersion: (request) => showVersion(db, request),
    bundlesDestroy: (request, context) => destroyDeployment(services, request, context),
  };
}
