/**
 * The one connection that saves batches: its plans are made once, and one save is under way at a time. Opened when
 * needed and again after it broke.
 */
import pg from 'pg';
import type { Logger } from 'pino';
import { type Database, type NamedQuery, queryNamed } from '../db/connect.ts';

/** A save takes milliseconds; one that hangs must not hold all runs for ever. */
const statementTimeoutMs = 30_000;

export class SaveConnection {
  readonly #db: Database;
  readonly #log: Logger;
  readonly #onSaved: ((elapsedMs: number) => void) | undefined;
  #client: pg.PoolClient | null = null;
  #savesCount = 0;

  constructor(db: Database, log: Logger, onSaved?: (elapsedMs: number) => void) {
    this.#db = db;
    this.#log = log;
    this.#onSaved = onSaved;
  }

  get savesCount(): number {
    return this.#savesCount;
  }

  async save<Row>(query: NamedQuery): Promise<Row[]> {
    this.#client ??= await this.#open();
    this.#savesCount += 1;
    const startedAt = performance.now();
    try {
      const rows = await queryNamed<Row>(this.#client, query);
      this.#onSaved?.(performance.now() - startedAt);
      return rows;
    } catch (error) {
      if (!this.isRefusal(error)) this.#drop(error instanceof Error ? error : new Error(String(error)));
      throw error;
    }
  }

  /** The store understood and said no: the same again would fail again. Anything else may pass. */
  isRefusal(error: unknown): boolean {
    // Classes 22, 23, 42 and 54: bad data, broken constraint, wrong statement, more than an index or a value can hold.
    return error instanceof pg.DatabaseError && /^(?:22|23|42|54)/.test(error.code ?? '');
  }

  async close(): Promise<void> {
    this.#client?.release(true);
    this.#client = null;
  }

  async #open(): Promise<pg.PoolClient> {
    const client = await this.#db.pool.connect();
    client.on('error', (error) => this.#drop(error));
    // A plan for the sizes of one batch is good for all: planning anew would cost more than the save. Small tables
    // would tempt the planner into scans that are wrong when they have grown, so it may only use indexes.
    try {
      await client.query(
        `set plan_cache_mode = force_generic_plan; set enable_seqscan = off; set enable_hashjoin = off;
         set enable_mergejoin = off; set jit = off; set statement_timeout = ${statementTimeoutMs}`,
      );
    } catch (error) {
      // Not given back, it would be missing in the pool for good.
      client.release(true);
      throw error;
    }
    return client;
  }

  #drop(error: Error): void {
    if (!this.#client) return;
    this.#log.warn({ err: error }, 'the connection that saves runs was lost');
    this.#client.release(error);
    this.#client = null;
  }
}
