/** The pool of connections, and the two ways to ask: a named statement, or Kysely for lists with many filters. */
import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import type { Logger } from 'pino';
import { runTransaction } from './transaction.ts';

/** A statement with a name is parsed and planned once per connection: 1.4 times the rate of an unnamed one. */
export interface NamedQuery {
  /** The same name must always mean the same text. */
  readonly name: string;
  readonly text: string;
  readonly values: readonly unknown[];
}

export interface Querier {
  query<Row>(query: NamedQuery): Promise<Row[]>;
}

export interface Database extends Querier {
  readonly pool: pg.Pool;
  /** `kysely.withTables<…>()` gives it the tables of a slice. */
  readonly kysely: Kysely<Record<never, never>>;
  /** Commits when `work` resolves, rolls back when it throws. No HTTP call and no process start inside. */
  transaction<T>(work: (client: Querier) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

export interface ConnectOptions {
  readonly connection: pg.ConnectionConfig | string;
  readonly log: Logger;
  /** Each connection is a process of PostgreSQL: what one server and its worker keep busy. */
  readonly connectionsMax?: number;
}

const connectionsMaxDefault = 10;
/** Idle connections close after a while, so that an idle server stays small. */
const idleTimeoutMs = 10_000;
/**
 * A database that is there and says nothing (a frozen machine, a network that swallows) must not hold a caller for
 * ever. Far beyond what any statement takes; migrations and backups have their own limits.
 */
const queryTimeoutMs = 120_000;
const keepAliveAfterMs = 10_000;
const int8Oid = 20;

export function connectDatabase({ connection, log, connectionsMax }: ConnectOptions): Database {
  const pool = new pg.Pool({
    ...(typeof connection === 'string' ? { connectionString: connection } : connection),
    max: connectionsMax ?? connectionsMaxDefault,
    idleTimeoutMillis: idleTimeoutMs,
    connectionTimeoutMillis: 10_000,
    query_timeout: queryTimeoutMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: keepAliveAfterMs,
    application_name: 'headrace',
    types: { getTypeParser },
  });
  // Without a listener, a connection that dies while idle would end the process.
  pool.on('error', ({ message }) => log.warn({ reason: message }, 'an idle database connection was lost'));
  const kysely = new Kysely<Record<never, never>>({ dialect: new PostgresDialect({ pool }) });
  return {
    pool,
    kysely,
    query: (query) => queryNamed(pool, query),
    transaction: (work) => runTransaction(pool, work),
    close: () => pool.end(), // Not kysely.destroy(): it leaves a pool open that Kysely itself never used.
  };
}

export async function queryNamed<Row>(client: pg.Pool | pg.PoolClient, query: NamedQuery): Promise<Row[]> {
  const result = await client.query({ ...query, values: [...query.values] });
  return result.rows as Row[]; // The statement and `Row` are written side by side in a store.ts.
}

/** bigint becomes a number: ids are below 2^53 and so are milliseconds. Everything else as `pg` does it. */
function getTypeParser(oid: number, format?: 'text' | 'binary') {
  if (oid === int8Oid && format !== 'binary') return parseBigint;
  return pg.types.getTypeParser(oid, format as 'text');
}

function parseBigint(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new Error(`not a safe integer: ${text}`);
  return value;
}

/** The `code` of an error that PostgreSQL reported, null for any other error. */
export function sqlState(error: unknown): string | null {
  return error instanceof pg.DatabaseError ? (error.code ?? null) : null;
}

export const uniqueViolation = '23505';
export const foreignKeyViolation = '23503';
