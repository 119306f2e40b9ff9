/** What the server says about itself. */
import { ApiError, type Handlers, type routes, type ServerStatus } from '@headrace/api';
import { listRecentHosts } from '../compute/list-hosts.ts';
import type { RequestContext } from '../context.ts';
import type { LoopDriver } from '../loops/driver.ts';
import type { Services } from '../services.ts';
import { countActiveRuns } from './store.ts';

export interface StatusOptions {
  readonly version: string;
  readonly startedAtMs: number;
  readonly workspaceId: string;
  readonly publicUrl: () => string;
  readonly isReady: () => boolean;
  readonly loops: LoopDriver;
  readonly listWorkers: () => Promise<ServerStatus['workers']>;
}

type StatusHandlers = Pick<
  Handlers<typeof routes, RequestContext>,
  'wellKnownConfig' | 'healthz' | 'readyz' | 'status'
>;

export function createStatusHandlers(services: Services, options: StatusOptions): StatusHandlers {
  return {
    async wellKnownConfig() {
      return { oidc_endpoint: `${options.publicUrl()}/oidc`, workspace_id: options.workspaceId };
    },
    async healthz() {
      return { status: 'ok' };
    },
    async readyz() {
      if (!options.isReady())
        throw new ApiError('TEMPORARILY_UNAVAILABLE', 'the server is starting or stopping');
      await services.db.pool.query('select 1');
      return { status: 'ready' };
    },
    async status() {
      const [hosts, runs, workers] = await Promise.all([
        listRecentHosts(services),
        countActiveRuns(services.db),
        options.listWorkers(),
      ]);
      return {
        version: options.version,
        started_at_ms: options.startedAtMs,
        workers,
        runs,
        hosts: hosts.map(({ clusterId, state, sparkState, pid, message }) => ({
          ...{ cluster_id: clusterId, state, spark_state: sparkState, pid, message },
        })),
        loops: options.loops.status().map(({ name, lastTurnAtMs, lastError }) => ({
          ...{ name, last_turn_at_ms: lastTurnAtMs, last_error: lastError },
        })),
      };
    },
  };
}
