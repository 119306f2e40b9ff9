/** Puts handlers, authentication, audit and limits together into the HTTP server, and makes it listen. */
import crypto from 'node:crypto';
import { type Handlers, routes } from '@headrace/api';
import type { FastifyInstance } from 'fastify';
import { createAlertHandlers } from './alerts/handlers.ts';
import { logBytesMax } from './attempts/attempt-document.ts';
import { createWorkerHandlers } from './attempts/handlers.ts';
import { listWorkers } from './attempts/worker-status.ts';
import type { AuditRecorder } from './audit/audit-recorder.ts';
import { createBundleHandlers } from './bundles/handlers.ts';
import type { CatalogNames } from './catalogs/catalog-names.ts';
import { createMetastoreHandlers } from './catalogs/handlers.ts';
import { createPolicyHandlers } from './cluster-policies/handlers.ts';
import { composeGit, type GitParts } from './compose-git.ts';
import type { Operations } from './compose-operations.ts';
import type { RunParts } from './compose-runs.ts';
import type { SqlParts } from './compose-sql.ts';
import type { ClusterBook } from './compute/cluster-book.ts';
import { createClustersHandlers } from './compute/handlers.ts';
import type { RequestContext } from './context.ts';
import { createDbfsHandlers } from './dbfs/handlers.ts';
import { createFileHandlers } from './files/handlers.ts';
import { createGitHandlers } from './git/handlers.ts';
import { createHttpCloser } from './http/close-http.ts';
import { createHttpServer } from './http/http-server.ts';
import { listen, listenPlainly, listenWith, urlOf } from './http/listen.ts';
import { createRateLimiter } from './http/rate-limit.ts';
import { createPoolHandlers } from './instance-pools/handlers.ts';
import { createJobHandlers } from './jobs/handlers.ts';
import { createRepairUses } from './jobs/repair-uses.ts';
import { createLibraryHandlers } from './libraries/handlers.ts';
import type { LoopDriver } from './loops/driver.ts';
import { createQueryHandlers } from './queries/handlers.ts';
import { createRepoHandlers } from './repos/handlers.ts';
import { readGitRun } from './runs/git-run.ts';
import { createRunHandlers } from './runs/handlers.ts';
import { createSecretHandlers } from './secrets/handlers.ts';
import { resealLoopName } from './secrets/reseal-loop.ts';
import type { SecretKeys } from './secrets/secret-key.ts';
import type { Services } from './services.ts';
import { createStatusHandlers } from './status/handlers.ts';
import { createTemporaryCredentialHandlers } from './temporary-credentials/handlers.ts';
import type { ThriftServices } from './thrift/caller.ts';
import { createNameSearch } from './thrift/name-search.ts';
import { createOperationBook } from './thrift/operations.ts';
import type { ServerTls } from './tls/open-tls.ts';
import { createTlsFront } from './tls/tls-front.ts';
import { createAuthenticator } from './tokens/authenticator.ts';
import { createTokensHandlers } from './tokens/handlers.ts';
import { createVolumeHandlers } from './volumes/handlers.ts';
import { createWorkspaceHandlers } from './workspace/handlers.ts';

const loopback = '127.0.0.1';

export interface HttpParts {
  readonly services: Services;
  readonly runs: RunParts;
  readonly sql: SqlParts;
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
  /** Null: HTTP without TLS. */
  readonly tls: ServerTls | null;
  readonly keptLocalPort: number | undefined;
  readonly isReady: () => boolean;
}

export interface RunningHttp {
  readonly port: number;
  /** Of the listener without TLS that only this machine reaches; undefined where it is the only one. */
  readonly localPort: number | undefined;
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
    thrift: composeThrift(services, parts.sql),
  });
  const closeHttp = createHttpCloser(http);
  const bound = await listenAll(http, parts);
  publicUrl ||= bound.url;
  const close = async () => {
    git.stop();
    await closeHttp();
    await bound.closeFront();
  };
  const { port, localPort, localUrl } = bound;
  return { port, localPort, localUrl, publicUrl, stopStreams: () => stopping.abort(), close };
}

function composeThrift({ db, log }: Services, { engine }: SqlParts): ThriftServices {
  const operations = createOperationBook();
  return { engine, names: createNameSearch(db), operations, log, newId: () => crypto.randomUUID() };
}

/** With TLS there are two listeners: processes of this machine are not made to trust anything. */
async function listenAll(http: FastifyInstance, { services, tls, keptPort, keptLocalPort }: HttpParts) {
  const { config } = services;
  const { port } = config;
  // Tasks of this machine need the API in any role; other machines only where it is this server's.
  const host = config.roles.includes('api') ? config.host : loopback;
  if (tls === null) {
    const at = { host, port: (await listen(listenWith(http), { host, port, keptPort })).port };
    const url = urlOf('http', at);
    return { ...at, localPort: undefined, url, localUrl: url, closeFront: async () => {} };
  }
  const local = await listen(listenWith(http), { host: loopback, port: 0, keptPort: keptLocalPort });
  const front = createTlsFront(http.server, tls);
  const at = { host, port: (await listen(listenPlainly(front.server), { host, port, keptPort })).port };
  const { hostname } = new URL(urlOf('https', at));
  const url = urlOf('https', { host: tls.nameFor(hostname), port: at.port });
  return {
    ...{ ...at, localPort: local.port, closeFront: front.close, url },
    localUrl: urlOf('http', { host: loopback, port: local.port }),
  };
}

function createHandlers(
  {
    services,
    runs,
    sql,
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
    ...createVolumeHandlers(services),
    ...createTemporaryCredentialHandlers(services),
    ...createFileHandlers(services),
    ...createDbfsHandlers(services),
    ...createPolicyHandlers(services),
    ...createQueryHandlers(services),
    ...createAlertHandlers(services),
    ...createBundleHandlers(runs.services),
    ...createPoolHandlers(services, clusters.announcePools),
    ...createClustersHandlers(services, clusters),
    ...sql.handlers(publicUrl),
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
