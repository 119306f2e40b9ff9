/** What the server says about itself. */
import { ApiError, type Handlers, type routes } from '@headrace/api';
import type { RequestContext } from '../context.ts';
import { isStuck, type LoopDriver } from '../loops/driver.ts';
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
      await refuseUnlessTurning(options.loops);
      await askDatabase(services);
      return { status: 'ready' };
    },
    status: () => showStatus(services, options),
  };
}

/** A proxy or a supervisor asks every few seconds, and gives up before our own limits do. */
const readyWithinMs = 2_000;

async function refuseUnlessTurning(loops: LoopDriver): Promise<void> {
  const stuck = loops.status().filter((loop) => isStuck(loop));
  if (stuck.length === 0) return;
  const names = stuck.map(({ name }) => name).join(', ');
  throw new ApiError('TEMPORARILY_UNAVAILABLE', `background loops do not turn: ${names}`);
}

async function askDatabase({ db }: Services): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const error = new ApiError('TEMPORARILY_UNAVAILABLE', 'the database does not answer in time');
    timer = setTimeout(() => reject(error), readyWithinMs);
  });
  try {
    await Promise.race([db.pool.query('select 1'), late]);
  } finally {
    clearTimeout(timer);
  }
}
