/**
 * Who did what: one row for every audited request. Rows are written in batches a moment later; an orderly stop
 * writes them all. Never in a row: tokens, secrets, contents of files, parameters of runs.
 */
import type { Logger } from 'pino';
import type { Principal } from '../context.ts';
import type { Querier } from '../db/connect.ts';
import { redactParameters } from './redact-parameters.ts';
import { type AuditRow, insertAuditRows } from './store.ts';

export interface AuditEvent {
  readonly atMs: number;
  readonly action: string;
  readonly principal: Principal | null;
  readonly requestId: string;
  readonly sourceIp: string;
  readonly userAgent: string | null;
  readonly status: number;
  readonly errorCode: string | null;
  readonly parameters: Readonly<Record<string, unknown>>;
}

export interface AuditRecorder {
  record(event: AuditEvent): void;
  /** Resolves when everything recorded so far is stored; throws when the store cannot be reached. */
  flush(): Promise<void>;
  stop(): Promise<void>;
}

const flushAfterMs = 500;
const batchRowsMax = 500;
/** While the store is away, rows wait here: some 50 MB at most. Beyond it the oldest go, and the log says so. */
const waitingRowsMax = 100_000;
const userAgentCharsMax = 300;

export function createAuditRecorder({ db, log }: { db: Querier; log: Logger }): AuditRecorder {
  const waiting: AuditRow[] = [];
  let timer: NodeJS.Timeout | null = null;
  let flushing: Promise<void> | null = null;

  function schedule(): void {
    timer ??= setTimeout(() => {
      timer = null;
      flush().catch((error) => {
        log.warn({ err: error, waiting: waiting.length }, 'audit rows could not be stored yet');
        schedule();
      });
    }, flushAfterMs);
  }

  async function writeAll(): Promise<void> {
    while (waiting.length > 0) {
      const batch = waiting.slice(0, batchRowsMax);
      await insertAuditRows(db, batch);
      // Rows that were dropped from the front meanwhile were part of this batch.
      const written = new Set(batch);
      while (waiting[0] && written.has(waiting[0])) waiting.shift();
    }
  }

  function flush(): Promise<void> {
    flushing ??= writeAll().finally(() => {
      flushing = null;
    });
    return flushing;
  }

  return {
    record(event) {
      waiting.push(toRow(event));
      if (waiting.length > waitingRowsMax) {
        waiting.shift();
        log.error('an audit row was dropped: too many wait for the store');
      }
      schedule();
    },
    flush,
    async stop() {
      if (timer) clearTimeout(timer);
      await flush();
      await flush(); // What was recorded while the first was under way.
    },
  };
}

function toRow({ principal, parameters, userAgent, ...event }: AuditEvent): AuditRow {
  return {
    ...event,
    principalId: principal?.id ?? null,
    userName: principal?.userName ?? null,
    userAgent: userAgent?.slice(0, userAgentCharsMax).toWellFormed().replaceAll('\0', '') ?? null,
    parameters: redactParameters(parameters),
  };
}
