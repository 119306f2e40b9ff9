/** The only SQL for the life of a statement: made, given to an endpoint, ended, forgotten. */
import type { Querier } from '../db/connect.ts';
import type { StatementSource } from './ports.ts';
import type { StatementOrder, StatementRow, StoredError, StoredManifest } from './rows.ts';

const columns = `
  s.statement_id as "statementId", s.warehouse_id as "warehouseId", s.principal_id as "principalId",
  s.user_name as "userName", s.session_id as "sessionId", s.request, s.state, s.run_id as "runId", s.error, s.manifest,
  s.result_until_ms as "resultUntilMs"`;

export interface NewStatementRow {
  readonly statementId: string;
  readonly warehouseId: string;
  readonly principalId: number;
  readonly userName: string;
  readonly sessionId: string | null;
  readonly statement: string;
  readonly request: StatementOrder;
  readonly source: StatementSource;
  readonly kind: string;
  readonly nowMs: number;
  /** That may wait on its warehouse. */
  readonly pendingMax: number;
}

/** False where too many wait already. */
export async function insertStatement(db: Querier, row: NewStatementRow): Promise<boolean> {
  const rows = await db.query({
    name: 'statements-insert',
    text: `
      insert into statements (statement_id, warehouse_id, principal_id, user_name, session_id, statement, request, source,
        kind, state, created_at_ms)
      select $1, $2, $3, $4, $5, $6, $7, $8, $9, 'PENDING', $10
      where (
        select count(*) from (
          select from statements p where p.warehouse_id = $2 and p.state = 'PENDING' limit $11) waiting
      ) < $11
      returning statement_id`,
    values: [
      ...[row.statementId, row.warehouseId, row.principalId, row.userName, row.sessionId, row.statement],
      ...[JSON.stringify(row.request), JSON.stringify(row.source), row.kind, row.nowMs, row.pendingMax],
    ],
  });
  return rows.length > 0;
}

export async function findStatement(db: Querier, statementId: string): Promise<StatementRow | null> {
  const rows = await db.query<StatementRow>({
    name: 'statements-find',
    text: `select ${columns} from statements s where s.statement_id = $1`,
    values: [statementId],
  });
  return rows[0] ?? null;
}

export interface GivenRow {
  readonly statementId: string;
  readonly statement: string;
  readonly request: StatementOrder;
  readonly sessionId: string | null;
}

/** Those that have waited longest, as many as there is room for; each to one endpoint, once. */
export function giveStatements(
  db: Querier,
  to: {
    readonly warehouseId: string;
    readonly principalId: number;
    readonly runId: number;
    readonly poll: number;
    readonly room: number;
    /** Of the warehouse. */
    readonly runningMax: number;
    readonly nowMs: number;
  },
): Promise<GivenRow[]> {
  return db.query<GivenRow>({
    name: 'statements-give',
    text: `
      update statements s
      set state = 'RUNNING', run_id = $3, given_poll = $4, given_at_ms = $7
      where s.statement_id in (
        select p.statement_id from statements p
        where p.warehouse_id = $1 and p.principal_id = $2 and p.state = 'PENDING'
          and exists (select from sql_endpoints e where e.run_id = $3 and e.ended_at_ms is null)
        order by p.created_at_ms, p.statement_id
        limit least($5::bigint, greatest(0, $6 - (
          select count(*) from statements r
          where r.state = 'RUNNING' and r.warehouse_id = $1
            and r.run_id in (select e.run_id from sql_endpoints e where e.warehouse_id = $1))))
        for update skip locked)
      returning s.statement_id as "statementId", s.statement, s.request, s.session_id as "sessionId"`,
    values: [to.warehouseId, to.principalId, to.runId, to.poll, to.room, to.runningMax, to.nowMs],
  });
}

/** What a run has been given and has not told the end of. */
export function findGiven(
  db: Querier,
  runId: number,
): Promise<
  { readonly statementId: string; readonly givenPoll: number; readonly isCancelRequested: boolean }[]
> {
  return db.query({
    name: 'statements-find-given',
    text: `
      select s.statement_id as "statementId", s.given_poll as "givenPoll", s.cancel_requested as "isCancelRequested"
      from statements s
      where s.run_id = $1 and s.state = 'RUNNING'`,
    values: [runId],
  });
}

/** An answer got lost on its way: given again, with a later question. */
export function giveAgain(
  db: Querier,
  { runId, poll, statementIds }: { runId: number; poll: number; statementIds: readonly string[] },
): Promise<GivenRow[]> {
  return db.query<GivenRow>({
    name: 'statements-give-again',
    text: `
      update statements s
      set given_poll = $2
      where s.statement_id = any($3::text[]) and s.run_id = $1 and s.state = 'RUNNING' and s.given_poll < $2
      returning s.statement_id as "statementId", s.statement, s.request, s.session_id as "sessionId"`,
    values: [runId, poll, statementIds],
  });
}

export interface StatementEnd {
  readonly statementId: string;
  readonly state: 'SUCCEEDED' | 'FAILED' | 'CANCELED';
  readonly error: StoredError | null;
  readonly manifest: StoredManifest | null;
  readonly timings: Readonly<Record<string, number>> | null;
  readonly nowMs: number;
  readonly resultUntilMs: number | null;
  readonly chunks: readonly { readonly index: number; readonly content: Uint8Array }[];
}

/** Of one that runs, by whoever was given it; anything else changes nothing. */
export async function endStatement(db: Querier, runId: number, end: StatementEnd): Promise<boolean> {
  const rows = await db.query<{ ended: boolean }>({
    name: 'statements-end',
    text: `
      with ended as (
        update statements
        set state = $3, error = $4, manifest = $5, timings = $6, ended_at_ms = $7, result_until_ms = $8,
          rows_produced = ($5::jsonb ->> 'total_rows')::bigint
        where statement_id = $1 and run_id = $2 and state = 'RUNNING'
        returning statement_id),
      kept as (
        insert into statement_chunks (statement_id, chunk_index, content)
        select e.statement_id, c.chunk_index, c.content
        from ended e, unnest($9::int[], $10::bytea[]) as c (chunk_index, content)
        returning chunk_index)
      select exists (select from ended) as ended, (select count(*) from kept) as kept`,
    values: [
      ...[end.statementId, runId, end.state, toJson(end.error), toJson(end.manifest), toJson(end.timings)],
      ...[end.nowMs, end.resultUntilMs],
      ...[end.chunks.map(({ index }) => index), end.chunks.map(({ content }) => Buffer.from(content))],
    ],
  });
  return rows[0]?.ended ?? false;
}

function toJson(value: unknown): string | null {
  return value === null ? null : JSON.stringify(value);
}

export async function isGiven(db: Querier, runId: number, statementId: string): Promise<boolean> {
  const rows = await db.query({
    name: 'statements-is-given',
    text: `select statement_id from statements where statement_id = $1 and run_id = $2 and state = 'RUNNING'`,
    values: [statementId, runId],
  });
  return rows.length > 0;
}

export async function readSmallChunk(
  db: Querier,
  statementId: string,
  index: number,
): Promise<Buffer | null> {
  const rows = await db.query<{ content: Buffer | null }>({
    name: 'statements-read-chunk',
    text: 'select content from statement_chunks where statement_id = $1 and chunk_index = $2',
    values: [statementId, index],
  });
  return rows[0]?.content ?? null;
}

export async function renewResult(db: Querier, statementId: string, untilMs: number): Promise<void> {
  await db.query({
    name: 'statements-renew-result',
    text: `
      update statements set result_until_ms = $2
      where statement_id = $1 and result_until_ms is not null and result_until_ms < $2`,
    values: [statementId, untilMs],
  });
}

/** One that waits ends at once, one that runs when its endpoint says so. The state that it was in. */
export async function requestCancel(
  db: Querier,
  statementId: string,
  { nowMs, error }: { readonly nowMs: number; readonly error: StoredError },
): Promise<{ readonly before: string; readonly runId: number | null } | null> {
  const rows = await db.query<{ before: string; runId: number | null }>({
    name: 'statements-request-cancel',
    text: `
      with found as (select statement_id, state from statements where statement_id = $1 for update)
      update statements s
      set cancel_requested = true,
        state = case when found.state = 'PENDING' then 'CANCELED' else s.state end,
        ended_at_ms = case when found.state = 'PENDING' then $2 else s.ended_at_ms end,
        error = case when found.state = 'PENDING' then $3 else s.error end
      from found
      where s.statement_id = found.statement_id and found.state in ('PENDING', 'RUNNING')
      returning found.state as before, s.run_id as "runId"`,
    values: [statementId, nowMs, JSON.stringify(error)],
  });
  return rows[0] ?? null;
}

/** Statements under way in a session. */
export async function findOfSession(db: Querier, sessionId: string): Promise<string[]> {
  const rows = await db.query<{ statementId: string }>({
    name: 'statements-find-of-session',
    text: `
      select statement_id as "statementId" from statements
      where session_id = $1 and state in ('PENDING', 'RUNNING')`,
    values: [sessionId],
  });
  return rows.map(({ statementId }) => statementId);
}

/** The results of some statements are forgotten; those that had large parts. */
export async function forgetResults(
  db: Querier,
  wanted: { readonly statementId: string | null; readonly untilMs: number; readonly limit: number },
): Promise<{ readonly statementId: string; readonly hasBlobs: boolean }[]> {
  return db.query({
    name: 'statements-forget-results',
    text: `
      with gone as (
        select statement_id, jsonb_path_exists(manifest, '$.chunks[*].isBlob') as has_blobs
        from statements
        where result_until_ms is not null and state = 'SUCCEEDED'
          and case when $1::text is null then result_until_ms < $2 else statement_id = $1 end
        limit $3
        for update skip locked),
      emptied as (
        delete from statement_chunks c using gone where c.statement_id = gone.statement_id)
      update statements s
      set state = 'CLOSED', manifest = null, result_until_ms = null
      from gone
      where s.statement_id = gone.statement_id
      returning s.statement_id as "statementId", coalesce(gone.has_blobs, false) as "hasBlobs"`,
    values: [wanted.statementId, wanted.untilMs, wanted.limit],
  });
}

export async function deleteOldStatements(db: Querier, beforeMs: number, limit: number): Promise<number> {
  const rows = await db.query({
    name: 'statements-delete-old',
    text: `
      delete from statements
      where statement_id in (
        select statement_id from statements
        where created_at_ms < $1 and state not in ('PENDING', 'RUNNING') and result_until_ms is null
        order by created_at_ms
        limit $2)
      returning statement_id`,
    values: [beforeMs, limit],
  });
  return rows.length;
}

/** Those of some that have a result, or may yet have one. */
export async function findWithResult(db: Querier, statementIds: readonly string[]): Promise<string[]> {
  const rows = await db.query<{ statementId: string }>({
    name: 'statements-find-with-result',
    text: `
      select statement_id as "statementId" from statements
      where statement_id = any($1::text[]) and state in ('PENDING', 'RUNNING', 'SUCCEEDED')`,
    values: [statementIds],
  });
  return rows.map(({ statementId }) => statementId);
}
