/**
 * Thrift over HTTP, where SQL clients look for it. Beside the route table: a call's bytes are no document that it could
 * describe. Authentication, limits and the audit are those of every route.
 */
import { ApiError, type Route, route } from '@headrace/api';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { AuditRecorder } from '../audit/audit-recorder.ts';
import type { Clock } from '../services.ts';
import { answerCall } from './answer-call.ts';
import type { ThriftServices } from './caller.ts';
import { readCall, type ThriftCall, ThriftReadError } from './read-thrift.ts';
import { type CallName, isCallName } from './structs.ts';
import { exceptionTypes, writeException } from './write-thrift.ts';

export interface ThriftWiring {
  readonly thrift: ThriftServices;
  readonly audit: AuditRecorder;
  readonly clock: Clock;
  readonly stopping: AbortSignal;
  readonly bodyBytesMax: number;
}

const paths = ['/sql/1.0/warehouses/:id', '/sql/1.0/endpoints/:id'];
const mediaType = 'application/x-thrift';
/** Where the connector looks for what went wrong when there is no answer. */
const messageHeader = 'x-thriftserver-error-message';
const messageCharsMax = 1_000;

/** Polling and fetching are no deeds. */
const audited: Partial<Record<CallName, string>> = {
  OpenSession: 'sql.openSession',
  ExecuteStatement: 'sql.executeStatement',
  CancelOperation: 'sql.cancelStatement',
};

export function registerThrift(http: FastifyInstance, wiring: ThriftWiring): void {
  http.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
    for (const url of paths) {
      scope.route({
        method: 'POST',
        url,
        config: { headrace: { route: access, restParameter: null, isDeniedToTasks: false } },
        errorHandler: (error, _request, reply) => {
          const text = error instanceof Error ? error.message : String(error);
          reply.header(messageHeader, text.replaceAll(/[^\x20-\x7e]+/g, ' ').slice(0, messageCharsMax));
          throw error;
        },
        handler: (request, reply) =>
          answer(request, reply, wiring).catch((error) => {
            throw error instanceof ThriftReadError ? refuse(error) : error;
          }),
      });
    }
  });
}

/** Of the route table's fields those that admission and audit read; rows of the audit are written here, by call. */
const access: Route = {
  ...route({
    ...{ method: 'POST', path: '/sql/1.0/warehouses/{id}', summary: 'Thrift.', kind: 'bytes' },
    ...{
      request: z.object({ id: z.string() }),
      response: z.object({}),
      permission: 'user',
      audit: 'sql.thrift',
    },
  }),
  audit: null,
};

async function answer(
  request: FastifyRequest,
  reply: FastifyReply,
  wiring: ThriftWiring,
): Promise<FastifyReply> {
  const call = read(request);
  if (!isCallName(call.name)) {
    const message = `there is no call ${call.name}`;
    return send(reply, writeException(call, { message, type: exceptionTypes.unknownMethod }));
  }
  const { principal, attemptId } = request;
  if (principal === null) throw new ApiError('UNAUTHENTICATED', 'no token');
  const { id } = request.params as { id: string };
  const closed = new AbortController();
  reply.raw.once('close', () => closed.abort());
  const { parts, error } = await answerCall(
    wiring.thrift,
    { ...call, name: call.name },
    {
      ...{ principal, attemptId, warehouseId: id, requestId: request.id, bodyBytesMax: wiring.bodyBytesMax },
      userAgent: request.headers['user-agent'] ?? null,
      signal: AbortSignal.any([closed.signal, wiring.stopping]),
    },
  );
  record(request, { name: call.name, error, warehouseId: id }, wiring);
  return send(reply, parts);
}

function read(request: FastifyRequest): ThriftCall {
  const { body } = request;
  const type = request.headers['content-type']?.split(';')[0]?.trim().toLowerCase();
  if (type !== mediaType || !(body instanceof Uint8Array))
    throw new ApiError('MALFORMED_REQUEST', `SQL clients send ${mediaType} here; the API is below /api/`);
  return readCall(body);
}

function refuse(error: ThriftReadError): ApiError {
  return new ApiError('MALFORMED_REQUEST', `these bytes are no Thrift call: ${error.message}`);
}

function send(reply: FastifyReply, parts: readonly Uint8Array[]): FastifyReply {
  return reply.header('cache-control', 'no-store').type(mediaType).send(Buffer.concat(parts));
}

function record(
  request: FastifyRequest,
  { name, error, warehouseId }: { name: CallName; error: ApiError | null; warehouseId: string },
  { audit, clock }: ThriftWiring,
): void {
  const action = audited[name];
  if (action === undefined) return;
  audit.record({
    atMs: clock.nowMs(),
    action,
    principal: request.principal,
    requestId: request.id,
    sourceIp: request.ip,
    userAgent: request.headers['user-agent'] ?? null,
    status: error?.status ?? 200,
    errorCode: error?.code ?? null,
    parameters: { warehouse_id: warehouseId },
  });
}
