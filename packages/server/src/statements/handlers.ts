import type { KeyObject } from 'node:crypto';
import {
  ApiError,
  type Handlers,
  inlineBytesMax,
  type RequestOf,
  type routes,
  type StatementDocument,
} from '@headrace/api';
import type { RequestContext } from '../context.ts';
import type { Bell } from './bell.ts';
import { type StatementReader, waitForEnd } from './engine.ts';
import { listQueries } from './history.ts';
import { linkLifetimeMs } from './limits.ts';
import { readLink, signLink } from './links.ts';
import { toParameters } from './parameters.ts';
import type { NewStatement, ResultFormat, StatementEngine } from './ports.ts';
import type { StatementRow } from './rows.ts';
import {
  acceptChunk,
  acceptEnd,
  answerPoll,
  type EndpointServices,
  requireEndpoint,
} from './serve-endpoint.ts';
import { type ChunkSources, toChunkDocument, toStatementDocument } from './wire.ts';

type Names =
  | Extract<keyof typeof routes, `statements${string}`>
  | Extract<keyof typeof routes, `sqlSessions${string}`>
  | Extract<keyof typeof routes, `sqlEndpoint${string}`>
  | 'queryHistoryList';
type StatementHandlers = Pick<Handlers<typeof routes, RequestContext>, Names>;

export interface StatementHandlerParts {
  readonly services: EndpointServices & { readonly bell: Bell };
  readonly engine: StatementEngine & StatementReader;
  readonly linkKey: KeyObject;
  readonly publicUrl: () => string;
}

const second = 1_000;
/** After a cancel because of the waiting time: most statements end at once, and the answer should say so. */
const cancelMs = 10 * second;

export function createStatementHandlers(parts: StatementHandlerParts): StatementHandlers {
  const { services, engine } = parts;
  const { db } = services;
  return {
    statementsExecute: (request, context) => executeStatement(parts, request, context),
    async statementsGet({ statement_id: id }, context) {
      const row = await engine.find(id, context.principal);
      return toStatementDocument(row, sourcesOf(parts, row, context));
    },
    async statementsCancel({ statement_id: id }, { principal }) {
      await engine.cancel(id, principal);
      return {};
    },
    async statementsClose({ statement_id: id }, { principal }) {
      await engine.close(id, principal);
      return {};
    },
    async statementsResultChunk({ statement_id: id, chunk_index: index }, context) {
      const { principal } = context;
      const row = await engine.find(id, principal);
      const { manifest } = row;
      // Whoever asks without end for links that are not there is told so.
      if (manifest === null || index >= manifest.chunks.length) await engine.readChunk(id, index, principal);
      if (manifest === null) throw new ApiError('INVALID_STATE', `Statement ${id} has no result`);
      return toChunkDocument(row, manifest, { index, sources: sourcesOf(parts, row, context) });
    },
    async statementsResultFile({ link }, { nowMs }) {
      const claims = readLink(parts.linkKey, link, nowMs);
      if (claims === null)
        throw new ApiError('PERMISSION_DENIED', 'the link has expired, or is none: ask for the chunk again');
      const { row, content } = await engine.readAnyChunk(claims.statementId, claims.index);
      return { contentType: contentTypes[row.request.format], bytes: content };
    },
    async sqlSessionsCreate(request, { principal, attemptId: taskRunId }) {
      const session_id = await engine.openSession({
        ...{ principal, taskRunId },
        warehouseId: request.warehouse_id,
        catalog: request.catalog ?? null,
        schema: request.schema ?? null,
        conf: request.session_confs ?? {},
      });
      return { session_id };
    },
    async sqlSessionsDelete({ session_id: id }, { principal }) {
      await engine.closeSession(id, principal);
      return {};
    },
    queryHistoryList: (request, { principal }) => listQueries({ db }, request, principal),
    ...createEndpointHandlers(services),
  };
}

type EndpointNames = Extract<keyof typeof routes, `sqlEndpoint${string}`>;

function createEndpointHandlers(services: EndpointServices): Pick<StatementHandlers, EndpointNames> {
  return {
    async sqlEndpointPoll(request, { attemptId, signal }) {
      const endpoint = await requireEndpoint(services, attemptId);
      return answerPoll(services, endpoint, request, signal);
    },
    async sqlEndpointDeliver(request, { attemptId }) {
      await acceptEnd(services, await requireEndpoint(services, attemptId), request);
      return {};
    },
    async sqlEndpointChunk(request, { attemptId }) {
      await acceptChunk(services, await requireEndpoint(services, attemptId), request);
      return {};
    },
  };
}

type ExecuteRequest = RequestOf<typeof routes.statementsExecute>;

async function executeStatement(
  parts: StatementHandlerParts,
  request: ExecuteRequest,
  context: RequestContext,
): Promise<StatementDocument> {
  const { principal, signal } = context;
  const { services, engine } = parts;
  const waitMs = toWaitMs(request.wait_timeout);
  const statementId = await engine.execute(toNewStatement(request, context));
  const wait = { statementId, principal, signal };
  let row = await waitForEnd(services, { ...wait, timeoutMs: waitMs });
  const isLate = row.state === 'PENDING' || row.state === 'RUNNING';
  if (isLate && waitMs > 0 && request.on_wait_timeout === 'CANCEL' && !signal.aborted) {
    await engine.cancel(statementId, principal);
    row = await waitForEnd(services, { ...wait, timeoutMs: cancelMs });
  }
  return toStatementDocument(row, sourcesOf(parts, row, context));
}

function toNewStatement(
  request: ExecuteRequest,
  { principal, userAgent, attemptId }: RequestContext,
): NewStatement {
  const { query_tags: tags, disposition } = request;
  return {
    principal,
    warehouseId: request.warehouse_id,
    sessionId: request.session_id ?? null,
    statement: request.statement,
    parameters: toParameters(request.parameters ?? []),
    catalog: request.catalog ?? null,
    schema: request.schema ?? null,
    rowLimit: request.row_limit ?? null,
    byteLimit: request.byte_limit ?? null,
    source: {
      application: userAgent,
      protocol: 'rest',
      ...(attemptId !== null && { taskRunId: attemptId }),
      ...(tags && { tags: tags.map(({ key, value }) => ({ key, value })) }),
    },
    format: toFormat(request),
    disposition: disposition === 'INLINE' ? 'INLINE' : 'EXTERNAL_LINKS',
    ...(disposition === 'INLINE' && { bytesMax: inlineBytesMax }),
  };
}

const contentTypes: Readonly<Record<ResultFormat, string>> = {
  ARROW_STREAM: 'application/vnd.apache.arrow.stream',
  JSON_ARRAY: 'application/json; charset=utf-8',
  CSV: 'text/csv; charset=utf-8',
};

function sourcesOf(
  { engine, linkKey, publicUrl, services }: StatementHandlerParts,
  { statementId }: StatementRow,
  { principal, origin }: RequestContext,
): ChunkSources {
  return {
    readChunk: (index) => engine.readChunk(statementId, index, principal),
    link(index) {
      const expiresAtMs = services.clock.nowMs() + linkLifetimeMs;
      const link = signLink(linkKey, { statementId, index, expiresAtS: Math.floor(expiresAtMs / second) });
      return { url: `${baseOf(origin, publicUrl())}/api/headrace/sql/results/${link}`, expiresAtMs };
    },
  };
}

/** Where the client found this server it finds it again; only a proxy may have changed the scheme on the way. */
function baseOf(origin: string, publicUrl: string): string {
  return new URL(origin).host === new URL(publicUrl).host ? publicUrl : origin;
}

/** As hosted: not at all, or from 5 to 50 seconds. */
function toWaitMs(text: string): number {
  const seconds = /^(\d{1,2})s$/.exec(text)?.[1];
  const count = seconds === undefined ? Number.NaN : Number(seconds);
  if (count === 0 || (count >= 5 && count <= 50)) return count * second;
  throw new ApiError(
    'INVALID_PARAMETER_VALUE',
    `wait_timeout: '${text}' is neither 0s nor between 5s and 50s`,
  );
}

function toFormat({ disposition, format }: RequestOf<typeof routes.statementsExecute>): ResultFormat {
  if (disposition !== 'INLINE' || format === 'JSON_ARRAY') return format;
  throw new ApiError(
    'INVALID_PARAMETER_VALUE',
    `format: ${format} comes with disposition EXTERNAL_LINKS alone; INLINE gives JSON_ARRAY`,
  );
}
