/**
 * Maps every route of the contract onto its handler: one flat request, parsed; one answer, by kind; one audit row.
 * A route without a declared permission cannot be registered, and a request without a principal gets no further.
 */

import { Readable } from 'node:stream';
import {
  ApiError,
  type Handlers,
  parseRequest,
  type Route,
  readPathParameters,
  type routes,
} from '@headrace/api';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { AuditRecorder } from '../audit/audit-recorder.ts';
import {
  type ApiVersion,
  apiVersions,
  type Principal,
  type RawRequest,
  type RequestContext,
} from '../context.ts';
import type { Clock } from '../services.ts';
import { type Authenticator, authenticate, authorize } from './auth.ts';
import { mergeRequest } from './merge-request.ts';
import type { RateLimiter } from './rate-limit.ts';
import { sendResult } from './send-result.ts';
import { deniedToTasks } from './task-scope.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    headrace: {
      readonly route: Route;
      readonly restParameter: string | null;
      readonly isDeniedToTasks: boolean;
    };
  }
  interface FastifyRequest {
    principal: Principal | null;
    attemptId: number | null;
    /** The parsed request, for the audit row; empty until it was parsed. */
    audited: Readonly<Record<string, unknown>>;
  }
}

export interface RouteWiring {
  readonly routes: Readonly<Record<string, Route>>;
  readonly handlers: Handlers<typeof routes, RequestContext>;
  readonly authenticator: Authenticator;
  readonly audit: AuditRecorder;
  readonly rateLimiter: RateLimiter;
  readonly clock: Clock;
  readonly publicOrigin: string | null;
  /** Processes of this machine read the measures without a token. */
  readonly metricsOpen?: boolean;
  /** Aborts when the server stops: open event streams end with it. */
  readonly stopping: AbortSignal;
}

type AnyHandler = (request: unknown, context: RequestContext) => Promise<unknown>;

export function registerRoutes(http: FastifyInstance, wiring: RouteWiring): void {
  http.decorateRequest('principal', null);
  http.decorateRequest('attemptId', null);
  http.decorateRequest('audited', null as never);
  http.addHook('onRoute', ({ config, url }) => {
    if (!config?.headrace?.route?.permission) throw new Error(`bug: ${url} declares no permission`);
  });
  http.addHook('onRequest', async (request) => {
    request.audited = {};
    if (!request.is404) await admit(request, wiring);
  });
  http.addHook('onResponse', async (request, reply) => recordAudit(request, reply, wiring));
  for (const [name, route] of Object.entries(wiring.routes)) {
    // Handlers are keyed as routes are; what links a request to its handler's type is the route's own schema.
    const handler = wiring.handlers[name as keyof typeof wiring.handlers] as AnyHandler | undefined;
    if (!handler) throw new Error(`bug: no handler answers ${name}`);
    const isDeniedToTasks = deniedToTasks.has(name);
    for (const path of [route.path, ...route.aliases]) {
      const one = { route, path, isDeniedToTasks, handler, wiring };
      // How bodies are read is set for a scope of Fastify's, not for a route.
      if (route.kind === 'stream') http.register(async (scope) => registerRoute(leaveBodies(scope), one));
      else registerRoute(http, one);
    }
  }
}

/** Bodies come as they are, and are of any size. */
function leaveBodies(scope: FastifyInstance): FastifyInstance {
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser('*', (_, payload, done) => done(null, payload));
  return scope;
}

interface OneRoute {
  readonly route: Route;
  readonly path: string;
  readonly isDeniedToTasks: boolean;
  readonly handler: AnyHandler;
  readonly wiring: RouteWiring;
}

function registerRoute(
  http: FastifyInstance,
  { route, path, isDeniedToTasks, handler, wiring }: OneRoute,
): void {
  const restParameter = readPathParameters(path).find(({ rest }) => rest)?.name ?? null;
  http.route({
    method: route.method,
    url: path.replace(/\{\w+\+\}/, '*').replaceAll(/\{(\w+)\}/g, ':$1'),
    config: { headrace: { route, restParameter, isDeniedToTasks } },
    handler: async (request, reply) => {
      const merged = await mergeRequest(request, {
        multipart: route.multipart,
        hasFields: route.kind !== 'stream',
      });
      request.audited = merged;
      const parsed = parseRequest(route, merged);
      const signal = AbortSignal.any([abortOnClose(reply), wiring.stopping]);
      const result = await handler(
        parsed,
        makeContext(request, { path, nowMs: wiring.clock.nowMs(), signal, kind: route.kind }),
      );
      await sendResult(reply, route, result, signal);
      return reply;
    },
  });
}

async function admit(request: FastifyRequest, wiring: RouteWiring): Promise<void> {
  const { route, isDeniedToTasks } = request.routeOptions.config.headrace;
  const { permission } = route;
  const nowMs = wiring.clock.nowMs();
  if (permission === 'open' || mayReadMetrics(request, wiring))
    return wiring.rateLimiter.check(`address ${request.ip}`, nowMs);
  if (wiring.stopping.aborted) throw new ApiError('TEMPORARILY_UNAVAILABLE', 'the server is stopping');
  const found = await authenticate(request, wiring).catch((error) => {
    wiring.rateLimiter.check(`address ${request.ip}`, nowMs);
    throw error;
  });
  // A worker whose heartbeats were refused for a minute would have to give up what it runs; a SQL endpoint asks once for
  // each statement, and those who sent it are counted.
  if (found.scope !== 'workers' && permission !== 'task') wiring.rateLimiter.check(found.caller, nowMs);
  authorize(found, permission, { isDeniedToTasks });
  request.principal = found.principal;
  request.attemptId = found.attemptId ?? null;
}

/** Behind a proxy of this machine everyone seems to be here: what was forwarded does not count as local. */
function mayReadMetrics(
  { routeOptions, ip, headers }: FastifyRequest,
  { metricsOpen, routes }: RouteWiring,
): boolean {
  if (!metricsOpen || routeOptions.config.headrace.route !== routes.metrics) return false;
  const isForwarded = headers['x-forwarded-for'] !== undefined || headers.forwarded !== undefined;
  return !isForwarded && /^(127\.|::1$|::ffff:127\.)/.test(ip);
}

/** Clients list all their parts in it; the first ones say who it is. */
const userAgentCharsMax = 200;

/** Open routes have no caller; their handlers must not ask who it is. */
const nobody: Principal = { id: 0, userName: '', isAdmin: false };

function makeContext(
  request: FastifyRequest,
  { path, nowMs, signal, kind }: { path: string; nowMs: number; signal: AbortSignal; kind: Route['kind'] },
): RequestContext {
  const version = /^\/api\/(\d\.\d)\//.exec(path)?.[1];
  return {
    principal: request.principal ?? nobody,
    attemptId: request.attemptId,
    requestId: request.id,
    sourceIp: request.ip,
    origin: `${request.protocol}://${request.host}`,
    userAgent: request.headers['user-agent']?.slice(0, userAgentCharsMax) ?? null,
    apiVersion: (apiVersions as readonly string[]).includes(version ?? '')
      ? (version as ApiVersion)
      : 'headrace',
    nowMs,
    signal,
    ...(kind === 'stream' ? { raw: readRaw(request) } : {}),
  };
}

function readRaw({ body, headers }: FastifyRequest): RawRequest {
  const header = (name: string) => {
    const value = headers[name];
    return typeof value === 'string' ? value : null;
  };
  return { body: body instanceof Readable ? body : Readable.from([]), header };
}

function abortOnClose(reply: FastifyReply): AbortSignal {
  const controller = new AbortController();
  reply.raw.once('close', () => controller.abort());
  return controller.signal;
}

function recordAudit(
  request: FastifyRequest,
  reply: FastifyReply,
  { audit, clock, routes }: RouteWiring,
): void {
  if (request.is404) return;
  const { route } = request.routeOptions.config.headrace;
  const action = route.audit;
  // Measures are read every few seconds for as long as the server lives; only who was refused is of interest.
  if (action === null || (route === routes.metrics && reply.statusCode < 400)) return;
  audit.record({
    atMs: clock.nowMs(),
    action,
    principal: request.principal,
    requestId: request.id,
    sourceIp: request.ip,
    userAgent: request.headers['user-agent'] ?? null,
    status: reply.statusCode,
    errorCode: reply.errorCode ?? null,
    parameters: request.audited,
  });
}
