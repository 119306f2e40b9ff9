/** What the server says about itself. */
import { ApiError, type Handlers, type routes } from '@headrace/api';
import type { RequestContext } from '../context.ts';
import type { Services } from '../services.ts';
import { type StatusSources, showStatus } from './show-status.ts';

export interface StatusOptions extends StatusSources {
  readonly workspaceId: string;
  readonly publicUrl: () => string;
  readonly isReady: () => boolean;
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
      if (!options.isReady()) {
        throw new ApiError('TEMPORARILY_UNAVAILABLE', 'the server is starting or stopping');
      }
      await services.db.pool.query('select 1');
      return { status: 'ready' };
    },
    status: () => showStatus(services, options),
  };
}
