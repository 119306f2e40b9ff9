/** Jobs, runs and attempts put together: what `main.ts` starts, stops and hands to HTTP, the worker and the loops. */
import type { AttemptSource } from '@headrace/worker';
import { logBytesMax } from './attempts/attempt-document.ts';
import { createAttemptSource } from './attempts/attempt-source.ts';
import { buildClaim, type ClaimSources } from './attempts/build-claim.ts';
import { createLeaseLoop } from './attempts/lease-loop.ts';
import { StopBells } from './attempts/stop-bells.ts';
import { type DbNow, databaseNow } from './attempts/store.ts';
import { createTaskTokenVerifier, loadTaskTokenKey } from './attempts/task-token.ts';
import type { Principal } from './context.ts';
import { createJobHandlers } from './jobs/handlers.ts';
import type { Loop } from './loops/driver.ts';
import { admissionLoopName, createAdmissionLoop } from './runs/admission-loop.ts';
import { RunAdvancer } from './runs/advance-run.ts';
import { createRunHandlers } from './runs/handlers.ts';
import { createWakeLoop } from './runs/wake-loop.ts';
import type { Services } from './services.ts';

export interface RunEngineOptions extends Omit<ClaimSources, 'tokenKey'> {
  readonly readPrincipal: (principalId: number) => Promise<Principal | null>;
  /** The loop driver's; called when a place of a job becomes free. */
  readonly wakeLoop: (name: string) => void;
  /** Monotonic milliseconds. */
  readonly elapsedMs: () => number;
  readonly dbNow?: DbNow;
}

export interface RunEngine {
  readonly handlers: ReturnType<typeof createJobHandlers> & ReturnType<typeof createRunHandlers>;
  readonly loops: readonly Loop[];
  /** For the worker in this process. */
  readonly attemptSource: AttemptSource;
  readonly verifyTaskToken: (token: string) => Promise<Principal | null>;
  readonly advancer: RunAdvancer;
  /** After the loops, the worker and HTTP have stopped: waits for what is under way. */
  stop(): Promise<void>;
}

export async function createRunEngine(services: Services, options: RunEngineOptions): Promise<RunEngine> {
  const { db, clock, log } = services;
  const { elapsedMs, dbNow = databaseNow } = options;
  const tokenKey = await loadTaskTokenKey(db);
  const claims: ClaimSources = { ...options, tokenKey };
  const bells = new StopBells();
  const advancer = new RunAdvancer({
    ...services,
    buildClaim: (attempt, context) => buildClaim(attempt, claims, context),
    onPlaceFreed: () => options.wakeLoop(admissionLoopName),
    onStopping: (workerId) => bells.ring(workerId),
  });
  const runServices = { ...services, advancer };
  const publicUrl = () => options.urls().publicUrl;
  return {
    handlers: {
      ...createJobHandlers(runServices),
      ...createRunHandlers(runServices, { publicUrl, logBytesMax }),
    },
    loops: [
      createWakeLoop(runServices),
      createAdmissionLoop(runServices),
      createLeaseLoop({ db, log, advancer, elapsedMs, dbNow }),
    ],
    attemptSource: createAttemptSource({ db, clock, advancer, claims, bells, dbNow }),
    verifyTaskToken: createTaskTokenVerifier({
      db,
      clock,
      key: tokenKey,
      readPrincipal: options.readPrincipal,
    }),
    advancer,
    stop: () => advancer.stop(),
  };
}
