/**
 * Rings the other servers of the same PostgreSQL when runs have changed here, and hears them ring (LISTEN, NOTIFY).
 * It only wakes: what a lost note would have said is found by the loops a second later, so notes are sent after the
 * commit, on a connection of their own, and nothing waits for them.
 */
import crypto from 'node:crypto';
import pg from 'pg';
import type { Logger } from 'pino';
import type { Database } from '../db/connect.ts';
import type { RunEventBus } from '../event-bus.ts';
import type { Loop } from '../loops/driver.ts';

const channel = 'headrace_runs';
/** Changes that come faster go out together: a neighbour needs one look for all of them. */
const gatherMs = 10;
/** PostgreSQL takes notes below 8,000 bytes; an id has at most 16 digits. */
const idsMax = 400;
const checkEveryMs = 5_000;

export interface NeighbourBell {
  /** Keeps the connection that listens. */
  readonly loop: Loop;
  stop(): Promise<void>;
}

/** `null` stands for "many": more than fit into a note. */
export type Heard = readonly number[] | null;

export function createNeighbourBell(options: {
  readonly db: Database;
  readonly events: RunEventBus;
  readonly log: Logger;
  readonly onHeard: (runIds: Heard) => void;
}): NeighbourBell {
  const { db, events, log, onHeard } = options;
  const ownId = crypto.randomUUID();
  const changed = new Set<number>();
  let timer: NodeJS.Timeout | null = null;
  let listening: pg.Client | null = null;
  let isStopped = false;
  let isHearing = false;

  const unsubscribe = events.subscribeAll((runId) => {
    // What a neighbour told us is not news to it.
    if (isHearing || isStopped) return;
    changed.add(runId);
    timer ??= setTimeout(ring, gatherMs);
  });

  function ring(): void {
    timer = null;
    const ids = changed.size > idsMax ? null : [...changed];
    changed.clear();
    const note = JSON.stringify({ from: ownId, ids });
    db.query({ name: 'runs-notify', text: 'select pg_notify($1, $2)', values: [channel, note] }).catch(
      (error: unknown) => log.debug({ err: error }, 'the other servers could not be rung'),
    );
  }

  function hear(payload: string): void {
    const note = parseNote(payload);
    if (note === null || note.from === ownId) return;
    isHearing = true;
    try {
      onHeard(note.ids);
    } finally {
      isHearing = false;
    }
  }

  async function listen(): Promise<void> {
    if (listening || isStopped) return;
    const { options: connection } = db.pool;
    // The pool hides its password from a spread.
    const { password } = connection;
    const client = new pg.Client({ ...connection, password, application_name: 'headrace-listen' });
    client.on('error', (error) =>
      log.warn({ reason: error.message }, 'the connection that listens was lost'),
    );
    client.on('end', () => {
      if (listening === client) listening = null;
    });
    client.on('notification', ({ payload }) => hear(payload ?? ''));
    try {
      await client.connect();
      await client.query(`listen ${channel}`);
    } catch (error) {
      await client.end().catch(() => undefined);
      throw new Error('cannot listen to the other servers', { cause: error });
    }
    listening = client;
    // What was rung before nobody heard.
    onHeard(null);
  }

  return {
    loop: {
      name: 'neighbours',
      everyMs: checkEveryMs,
      async turn() {
        await listen();
        return 'idle';
      },
    },
    async stop() {
      isStopped = true;
      unsubscribe();
      if (timer) clearTimeout(timer);
      await listening?.end().catch(() => undefined);
    },
  };
}

function parseNote(payload: string): { readonly from: string; readonly ids: Heard } | null {
  try {
    const note: unknown = JSON.parse(payload);
    if (typeof note !== 'object' || note === null || !('from' in note) || !('ids' in note)) return null;
    const { from, ids } = note;
    if (typeof from !== 'string') return null;
    const known = Array.isArray(ids) ? ids.filter((id): id is number => Number.isSafeInteger(id)) : null;
    return { from, ids: known };
  } catch {
    // Not a note of ours: anybody who may connect may use the channel.
    return null;
  }
}
