/** Puts handlers, authentication, audit and limits together into the HTTP server, and makes it listen. */
import crypto from 'node:crypto';
import { type Handlers, routes } from '@headrace/api';
import { logBytesMax } from './attempts/attempt-document.ts';
import { createWorkerHandlers } from './attempts/handlers.ts';
import { listWorkers } from './attempts/worker-status.ts';
import type { AuditRecorder } from './audit/audit-recorder.ts';
import type { CatalogNames } from './catalogs/catalog-names.ts';
import { createMetastoreHandlers } from './catalogs/handlers.ts';
import { createPolicyHandlers } from './cluster-policies/handlers.ts';
import { composeGit, type GitParts } from './compose-git.ts';
import type { Operations } from './compose-operations.ts';
import type { RunParts } from './compose-runs.ts';
import type { ClusterBook } from './compute/cluster-book.ts';
import { createClustersHandlers } from './compute/handlers.ts';
import type { RequestContext } from './context.ts';
import { createGitHandlers } from './git/handlers.ts';
import { createHttpCloser } from './http/close-http.ts';
import { createHttpServer } from './http/http-server.ts';
import { listen, urlOf } from './http/listen.ts';
import { createRateLimiter } from './http/rate-limit.ts';
import { createPoolHandlers } from './instance-pools/handlers.ts';
import { createJobHandlers } from './jobs/handlers.ts';
import { createRepairUses } from './jobs/repair-uses.ts';
import { createLibraryHandlers } from './libraries/handlers.ts';
import type { LoopDriver } from './loops/driver.ts';
import { createRepoHandlers } from './repos/handlers.ts';
import { readGitRun } from './runs/git-run.ts';
import { createRunHandlers } from './runs/handlers.ts';
import { createSecretHandlers } from './secrets/handlers.ts';
import { resealLoopName } from './secrets/reseal-loop.ts';
import type { SecretKeys } from './secrets/secret-key.ts';
import type { Services } from './services.ts';
import { createStatusHandlers } from './status/handlers.ts';
import { createAuthenticator } from './tokens/authenticator.ts';
import { createTokensHandlers } from './tokens/handlers.ts';
import { createWorkspaceHandlers } from './workspace/handlers.ts';

export interface HttpParts {
  readonly services: Services;
  readonly runs: RunParts;
  readonly clusters: ClusterBook;
  readonly operations: Operations;
  readonly loops: LoopDriver;
  readonly audit: AuditRecorder;
  readonly catalogNames: CatalogNames;
  readonly secretKeys: SecretKeys;
  readonly workspaceId: string;
  readonly version: string;
  readonly webFolder: string;
  readonly keptPort: number | undefined;
  readonly isReady: () => boolean;
}

export interface RunningHttp {
  readonly port: number;
  readonly publicUrl: string;
  /** For processes of this machine. */
  readonly localUrl: string;
  /** Ends the open event streams: a close waits for every open request. */
  stopStreams(): void;
  close(): Promise<void>;
}

export async function startHttp(parts: HttpParts): Promise<RunningHttp> {
  const { services, runs, audit } = parts;
  const { config, clock, log } = services;
  const stopping = new AbortController();
  let publicUrl = config.publicUrl ?? '';
  const authenticator = createAuthenticator(services, runs.verifyTaskToken);
  const git = composeGit(services, parts.secretKeys);
  const handlers = createHandlers(parts, git, {
    forgetTokens: authenticator.forgetAll,
    publicUrl: () => publicUrl,
  });
  const http = await createHttpServer({
    routes,
    handlers,
    authenticator,
    audit,
    clock,
    log,
    rateLimiter: createRateLimiter(config.requestsPerMinute),
    metricsOpen: config.metricsOpen,
    publicOrigin: config.publicUrl === null ? null : new URL(config.publicUrl).origin,
    stopping: stopping.signal,
    bodyBytesMax: config.bodyBytesMax,
    webFolder: parts.webFolder,
    newRequestId: () => crypto.randomUUID(),
    workspaceId: parts.workspaceId,
  });
  const closeHttp = createHttpCloser(http);
  const close = () => {
    git.stop();
    return closeHttp();
  };
  // Tasks of this machine need the API in any role; other machines only where it is this server's.
  const host = config.roles.includes('api') ? config.host : '127.0.0.1';
  const { port } = await listen(http, { host, port: config.port, keptPort: parts.keptPort });
  const localUrl = urlOf(host, port);
  publicUrl ||= localUrl;
  return { port, localUrl, publicUrl, stopStreams: () => stopping.abort(), close };
}

function createHandlers(
  {
    services,
    runs,
    clusters,
    operations,
    loops,
    catalogNames,
    secretKeys,
    workspaceId,
    version,
    isReady,
  }: HttpParts,
  git: GitParts,
  { forgetTokens, publicUrl }: { forgetTokens: () => void; publicUrl: () => string },
): Handlers<typeof routes, RequestContext> {
  const { db, clock } = services;
  return {
    ...createJobHandlers(runs.services),
    ...createRunHandlers(runs.services, { publicUrl, logBytesMax, repair: createRepairUses(db) }),
    ...createWorkspaceHandlers(services),
    ...createMetastoreHandlers(services, catalogNames),
    ...createPolicyHandlers(services),
    ...createPoolHandlers(services, clusters.announcePools),
    ...createClustersHandlers(services, clusters),
    ...createLibraryHandlers(services),
    ...createWorkerHandlers(runs.remoteWorkers, services.clock),
    ...createSecretHandlers(
      { ...services, secretKeys },
      {
        isShared: services.config.databaseUrl !== null,
        wakeLoop: () => loops.wake(resealLoopName),
      },
    ),
    ...createGitHandlers(git, (runId) => readGitRun(db, runId)),
    ...createRepoHandlers({ ...services, ...git }),
    ...createTokensHandlers(services, { forgetTokens, publicUrl }),
    ...operations.handlers,
    ...createStatusHandlers(services, {
      version,
      workspaceId,
      publicUrl,
      isReady,
      loops,
      startedAtMs: clock.nowMs(),
      listWorkers: () => listWorkers(db),
    }),
  };
}
