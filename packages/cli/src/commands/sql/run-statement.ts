/** One statement on a warehouse: sent, waited for, its rows read part by part; cancelled when whoever waits gives up. */
import type { Client, StatementDocument, StatementResult } from '@headrace/api';
import type { CliContext } from '../../cli-context.ts';
import { CommandError, exitCodes } from '../../command-error.ts';

export interface SqlParameter {
  readonly name: string;
  readonly type?: string;
  readonly value: string | null;
}

export interface StatementPlace {
  readonly warehouseId: string;
  readonly sessionId?: string;
  readonly catalog?: string;
  readonly schema?: string;
}

export interface StatementAsked {
  readonly text: string;
  readonly parameters: readonly SqlParameter[];
  /** More are left out; null for all of them. */
  readonly rowsMax: number | null;
}

export interface SqlColumn {
  readonly name: string;
  readonly typeName: string;
}

export interface SqlResult {
  readonly columns: readonly SqlColumn[];
  readonly rows: readonly (readonly (string | null)[])[];
  readonly isTruncated: boolean;
  readonly elapsedMs: number;
}

/** What Spark refused, and where in the statement's text; lines and columns count from 1. */
export class StatementError extends CommandError {
  readonly position: { readonly line: number; readonly column: number } | null;

  constructor(message: string, position: StatementError['position']) {
    super(message, { exitCode: exitCodes.failed });
    this.position = position;
  }
}

/** Between two looks, doubled up to the longest: a small statement takes some 50 ms, a large one may take hours. */
const pollMsMin = 20;
const pollMsMax = 500;
/** Of a result, for a table in a terminal. */
export const tableRowsMax = 1_000;

export async function runStatement(
  context: Pick<CliContext, 'clock' | 'fetch'>,
  client: Client,
  { place, asked, signal }: { place: StatementPlace; asked: StatementAsked; signal: AbortSignal },
): Promise<SqlResult> {
  const { clock } = context;
  const startedAtMs = clock.nowMs();
  // Answered at once, so that its id is known when somebody gives up.
  let found: StatementDocument = await client.statementsExecute({
    statement: asked.text,
    warehouse_id: place.warehouseId,
    wait_timeout: '0s',
    on_wait_timeout: 'CONTINUE',
    format: 'JSON_ARRAY',
    // Links have no limit of size.
    disposition: asked.rowsMax === null ? 'EXTERNAL_LINKS' : 'INLINE',
    ...(place.sessionId === undefined ? {} : { session_id: place.sessionId }),
    ...(place.catalog === undefined ? {} : { catalog: place.catalog }),
    ...(place.schema === undefined ? {} : { schema: place.schema }),
    ...(asked.rowsMax === null ? {} : { row_limit: asked.rowsMax }),
    ...(asked.parameters.length === 0
      ? {}
      : { parameters: asked.parameters.map((parameter) => ({ ...parameter })) }),
  });
  const { statement_id } = found;
  let pauseMs = pollMsMin;
  while (isUnderWay(found)) {
    await clock.sleep(pauseMs, signal);
    if (signal.aborted) {
      await client.statementsCancel({ statement_id });
      throw new CommandError('the statement was cancelled', { exitCode: exitCodes.interrupted });
    }
    pauseMs = Math.min(pauseMs * 2, pollMsMax);
    found = await client.statementsGet({ statement_id });
  }
  if (found.status.state !== 'SUCCEEDED') throw toError(found);
  const rows = await readRows(context, client, found);
  return {
    columns: (found.manifest?.schema.columns ?? []).map(({ name, type_name: typeName }) => ({
      name,
      typeName,
    })),
    rows,
    isTruncated: found.manifest?.truncated ?? false,
    elapsedMs: clock.nowMs() - startedAtMs,
  };
}

function isUnderWay({ status }: StatementDocument): boolean {
  return status.state === 'PENDING' || status.state === 'RUNNING';
}

function toError({ status }: StatementDocument): StatementError {
  const { error, sql_state: sqlState, headrace } = status;
  const message = error?.message ?? `the statement is ${status.state.toLowerCase()}`;
  const state = sqlState === undefined || message.includes(sqlState) ? '' : ` SQLSTATE: ${sqlState}`;
  return new StatementError(`${message.trimEnd()}${state}`, headrace?.position ?? null);
}

async function readRows(
  { fetch }: Pick<CliContext, 'fetch'>,
  client: Client,
  { statement_id, result }: StatementDocument,
): Promise<(readonly (string | null)[])[]> {
  const rows: (readonly (string | null)[])[] = [];
  let part: StatementResult | undefined = result;
  while (part !== undefined) {
    for (const row of part.data_array ?? []) rows.push(row);
    for (const link of part.external_links ?? []) {
      // One by one: as arguments of one call they are too many.
      for (const row of await readLink(fetch, link)) rows.push(row);
    }
    const next = part.next_chunk_index ?? part.external_links?.at(-1)?.next_chunk_index;
    part =
      next === undefined
        ? undefined
        : await client.statementsResultChunk({ statement_id, chunk_index: next });
  }
  return rows;
}

type Link = NonNullable<StatementResult['external_links']>[number];

async function readLink(
  fetch: CliContext['fetch'],
  { external_link: url, http_headers: headers = {} }: Link,
): Promise<(string | null)[][]> {
  const response = await fetch(url, { headers });
  if (!response.ok)
    throw new CommandError(`a part of the result could not be read: the server answered ${response.status}`, {
      exitCode: exitCodes.failed,
    });
  return (await response.json()) as (string | null)[][]; // As JSON_ARRAY is documented.
}
