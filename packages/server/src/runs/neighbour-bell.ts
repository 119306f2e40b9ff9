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
/** PostgreSQL takes notes below 8,000 bytes; an id has at most 16 digits, that of a worker at most 100 characters. */
const idsMax = 350;
const workersMax = 15;
const checkEveryMs = 5_000;

export interface NeighbourBell {
  /** Keeps the connection that listens. */
  readonly loop: Loop;
  /** The next note says that this worker has something to stop. */
  noteStopping(workerId: string): void;
  /** The next note says that this loop has something to do. */
  noteLoop(name: string): void;
  stop(): Promise<void>;
}

/**
 * What a note says; `null` stands for "whichever": more than fit into it, or told by a release that did not say. Most
 * changes concern neither loops nor stops, and looking for them costs more than the note.
 */
export interface Heard {
  readonly runIds: readonly number[] | null;
  readonly stopping: readonly string[] | null;
  readonly loops: readonly string[] | null;
  /** Attempts may wait in the store that no worker there takes. */
  readonly hasQueued: boolean;
}

const anything: Heard = { runIds: null, stopping: null, loops: null, hasQueued: true };

export function createNeighbourBell(options: {
  readonly db: Database;
  readonly events: RunEventBus;
  readonly log: Logger;
  /** Whether attempts wait here for a worker. */
  readonly hasQueued: () => boolean;
  readonly onHeard: (heard: Heard) => void;
}): NeighbourBell {
  const { db, events, log, onHeard } = options;
  const ownId = crypto.randomUUID();
  const news = createNews();
  let timer: NodeJS.Timeout | null = null;
  let listening: pg.Client | null = null;
  let isStopped = false;
  let isHearing = false;

  const unsubscribe = events.subscribeAll((runId) => {
    // What a neighbour told us is not news to it.
    if (isHearing || isStopped) return;
    news.changed.add(runId);
    ringSoon();
  });

  function ringSoon(): void {
    if (!isStopped) timer ??= setTimeout(ring, gatherMs);
  }

  function ring(): void {
    timer = null;
    const note = JSON.stringify({ from: ownId, ...news.take(), queued: options.hasQueued() });
    db.query({ name: 'runs-notify', text: 'select pg_notify($1, $2)', values: [channel, note] }).catch(
      (error: unknown) => log.debug({ err: error }, 'the other servers could not be rung'),
    );
  }

  function hear(payload: string): void {
    const note = parseNote(payload);
    if (note === null || note.from === ownId) return;
    isHearing = true;
    try {
      onHeard(note.heard);
    } finally {
      isHearing = false;
    }
  }

  async function listen(): Promise<void> {
    if (listening || isStopped) return;
    const onEnd = (client: pg.Client) => {
      if (listening === client) listening = null;
    };
    listening = await openListener({ db, log, hear, onEnd });
    // What was rung before nobody heard.
    onHeard(anything);
  }

  return {
    loop: {
      name: 'neighbours',
      everyMs: checkEveryMs,
      async turn() {
        await listen();
        // A server may die between its commit and its note, and not every server turns the loop that would find out.
        if (!isStopped) onHeard({ runIds: [], stopping: [], loops: [], hasQueued: true });
        return 'idle';
      },
    },
    noteStopping(workerId) {
      news.stopping.add(workerId);
      ringSoon();
    },
    noteLoop(name) {
      news.loops.add(name);
      ringSoon();
    },
    async stop() {
      isStopped = true;
      unsubscribe();
      if (timer) clearTimeout(timer);
      await listening?.end().catch(() => undefined);
    },
  };
}

async function openListener(options: {
  readonly db: Database;
  readonly log: Logger;
  readonly hear: (payload: string) => void;
  readonly onEnd: (client: pg.Client) => void;
}): Promise<pg.Client> {
  const { db, log, hear, onEnd } = options;
  const { options: connection } = db.pool;
  // The pool hides its password from a spread.
  const { password } = connection;
  const client = new pg.Client({ ...connection, password, application_name: 'headrace-listen' });
  client.on('error', (error) => log.warn({ reason: error.message }, 'the connection that listens was lost'));
  client.on('end', () => onEnd(client));
  client.on('notification', ({ payload }) => hear(payload ?? ''));
  try {
    await client.connect();
    await client.query(`listen ${channel}`);
    return client;
  } catch (error) {
    await client.end().catch(() => undefined);
    throw new Error('cannot listen to the other servers', { cause: error });
  }
}

/** What the next note will say. */
function createNews() {
  const changed = new Set<number>();
  const stopping = new Set<string>();
  const loops = new Set<string>();
  return {
    ...{ changed, stopping, loops },
    take: () => ({
      ids: takeAll(changed, idsMax),
      stopping: takeAll(stopping, workersMax),
      loops: takeAll(loops, loops.size),
    }),
  };
}

/** Empties it; null when it held more than `max`. */
function takeAll<Value>(values: Set<Value>, max: number): Value[] | null {
  const taken = values.size > max ? null : [...values];
  values.clear();
  return taken;
}

function parseNote(payload: string): { readonly from: string; readonly heard: Heard } | null {
  try {
    const note: unknown = JSON.parse(payload);
    if (typeof note !== 'object' || note === null || !('from' in note) || !('ids' in note)) return null;
    const { from, ids } = note;
    if (typeof from !== 'string') return null;
    const runIds = listOf(ids, (id): id is number => Number.isSafeInteger(id));
    const isText = (value: unknown) => typeof value === 'string';
    const stopping = 'stopping' in note ? listOf(note.stopping, isText) : null;
    const loops = 'loops' in note ? listOf(note.loops, isText) : null;
    const hasQueued = !('queued' in note) || note.queued !== false;
    return { from, heard: { runIds, stopping, loops, hasQueued } };
  } catch {
    // Not a note of ours: anybody who may connect may use the channel.
    return null;
  }
}

function listOf<Value>(told: unknown, isOne: (value: unknown) => value is Value): readonly Value[] | null {
  return Array.isArray(told) ? told.filter(isOne) : null;
}
