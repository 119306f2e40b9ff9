/** The HTTP server: Fastify with our limits, our errors, the routes of the contract and the UI's files. */

import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import cookie from '@fastify/cookie';
import multipart from '@fastify/multipart';
import { type ApiError, toErrorBody } from '@headrace/api';
import {
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  fastify,
  LogController,
} from 'fastify';
import type { Logger } from 'pino';
import type { ThriftServices } from '../thrift/caller.ts';
import { registerThrift } from '../thrift/register-thrift.ts';
import { importBytesMax } from '../workspace/limits.ts';
import { diagnose } from './errors.ts';
import { notImplemented } from './not-implemented.ts';
import { RateLimitError } from './rate-limit.ts';
import { type RouteWiring, registerRoutes } from './register-routes.ts';
import { createStaticFiles } from './static-files.ts';

declare module 'fastify' {
  interface FastifyReply {
    errorCode: string | null;
  }
}

export interface HttpServerOptions extends RouteWiring {
  readonly log: Logger;
  readonly bodyBytesMax: number;
  /** Folder of the built UI; served when it exists. */
  readonly webFolder: string;
  readonly newRequestId: () => string;
  readonly workspaceId: string;
  /** Undefined: no SQL clients. */
  readonly thrift?: ThriftServices;
}

/** Longer path parameters are no name of anything. */
const pathParameterCharsMax = 4_096;

export async function createHttpServer(options: HttpServerOptions): Promise<FastifyInstance> {
  const { log, bodyBytesMax } = options;
  const http = fastify({
    bodyLimit: bodyBytesMax,
    routerOptions: { maxParamLength: pathParameterCharsMax, ignoreTrailingSlash: true },
    exposeHeadRoutes: false,
    forceCloseConnections: 'idle',
    genReqId: options.newRequestId,
    logController: new LogController({ requestIdLogLabel: 'request_id', disableRequestLogging: true }),
    loggerInstance: log,
    // A path that cannot be decoded never reaches a route.
    frameworkErrors: (error, request, reply) =>
      void sendError(error, request, reply as FastifyReply, bodyBytesMax),
  }) as unknown as FastifyInstance; // Typed by pino's logger otherwise; nothing here uses more than Fastify's own.
  http.decorateReply('errorCode', null);
  acceptJson(http);
  await http.register(cookie);
  await http.register(multipart, {
    limits: { fileSize: importBytesMax, files: 1, fields: 20, fieldSize: 1024 ** 2 },
  });
  http.setErrorHandler((error, request, reply) => sendError(error, request, reply, bodyBytesMax));
  http.addHook('onSend', async (request, reply) => {
    reply.header('x-request-id', request.id).header('x-content-type-options', 'nosniff');
    // Older clients learn the workspace's id from here.
    if (request.principal) reply.header('x-databricks-org-id', options.workspaceId);
  });
  const staticFiles = await createStaticFiles(options.webFolder);
  http.setNotFoundHandler(async (request, reply) => {
    if (await staticFiles.trySend(request, reply)) return reply;
    throw notImplemented(request.method, request.url);
  });
  registerRoutes(http, options);
  if (options.thrift) registerThrift(http, { ...options, thrift: options.thrift });
  return http;
}

/** Clients label JSON in several ways, or not at all; a body that is none is refused as malformed. */
function acceptJson(http: FastifyInstance): void {
  const parseJson = http.getDefaultJsonParser('error', 'ignore');
  http.removeAllContentTypeParsers();
  http.addContentTypeParser('*', { parseAs: 'string' }, (request, body, done) => {
    if (body === '') done(null, undefined);
    else parseJson(request, body as string, done); // `parseAs` made it a string.
  });
}

async function sendError(
  thrown: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  bodyBytesMax: number,
): Promise<FastifyReply> {
  const { error, bug } = diagnose(thrown, { requestId: request.id, bodyBytesMax });
  if (bug) request.log.error({ err: thrown, url: request.routeOptions.url }, 'a request failed');
  reply.errorCode = error.code;
  setErrorHeaders(error, reply);
  if ((thrown as { code?: string }).code === 'FST_ERR_CTP_BODY_TOO_LARGE') await discardBody(request.raw);
  return reply.status(error.status).header('cache-control', 'no-store').send(toErrorBody(error));
}

function setErrorHeaders(error: ApiError, reply: FastifyReply): void {
  if (error instanceof RateLimitError) reply.header('retry-after', String(error.retryAfterSeconds));
  if (error.code === 'TEMPORARILY_UNAVAILABLE') reply.header('retry-after', '1');
  if (error.code === 'UNAUTHENTICATED') reply.header('www-authenticate', 'Bearer');
}

/** A statement of 100 MB is discarded within a second; whoever sends more, or slowly, loses the connection. */
const discardMsMax = 5_000;

/** A client that is still sending reads no answer: a connection that closes under it tells it nothing. */
async function discardBody(body: IncomingMessage): Promise<void> {
  if (body.complete) return;
  body.resume();
  await once(body, 'end', { signal: AbortSignal.timeout(discardMsMax) }).catch(() => undefined);
}
