/**
 * Brings what attempts leave behind from the machine that ran them into the bucket: the log while it grows, the rest at
 * the end. A run never waits for it. A note in the data root says that an attempt is not shipped yet, so a crash, or a
 * bucket that is away, costs time only. `attempt.json` stays: it holds a token.
 */
import fs from 'node:fs';
import path from 'node:path';
import type { ClaimedAttempt } from '@headrace/worker';
import type { Logger } from 'pino';
import type { Loop } from '../loops/driver.ts';
import type { BlobStore } from './blob-store.ts';
import type { FolderStore } from './folder-store.ts';
import { listParts, partKeyOf, partsFolderOf } from './shipped-log.ts';

/** How much of a log a machine may take with it when it is lost. */
const everyMs = 5_000;
/** Of one part; more output than this in 5 s goes with the next turns. */
const partBytesMax = 8 * 1024 * 1024;
/** Sixteen times the limit of a log: nothing of ours is larger. */
const fileBytesMax = 1024 ** 3;
/** Attempts that are shipped at a time, and in one turn. */
const atOnce = 8;
const endsPerTurnMax = 64;
const shippedFiles = ['output.log', 'notebook.json', 'messages.jsonl', 'result.json'];
const notesFolder = 'unshipped';
const loopName = 'attempt-shipping';

interface ShippingOptions {
  readonly local: FolderStore;
  readonly remote: BlobStore;
  readonly log: Logger;
  /** Notes are each worker's own: a data root may be shared. */
  readonly workerId: string;
  /** Makes the loop turn soon. */
  readonly wake: (loop: string) => void;
}

export interface AttemptShipping {
  readonly loop: Loop;
  /** Ships what has ended; for a server that stops. */
  flush(): Promise<void>;
  /** Synchronous: it lies between a claim and the start of user code. */
  begin(attempt: Pick<ClaimedAttempt, 'runId' | 'attemptId'>): void;
  end(attempts: readonly Pick<ClaimedAttempt, 'attemptId'>[]): void;
}

interface Live {
  readonly attemptId: number;
  readonly folder: string;
  /** Null: not yet asked. */
  shippedBytes: number | null;
  notebookModifiedAtMs: number | null;
}

export function createAttemptShipping(options: ShippingOptions): AttemptShipping {
  const { local, remote, workerId, wake } = options;
  const notes = path.join(local.root, notesFolder, workerId);
  fs.mkdirSync(notes, { recursive: true });
  const live = new Map<string, Live>();
  let shipping: Promise<boolean> | null = null;

  function shipEnded(): Promise<boolean> {
    shipping ??= shipSome().finally(() => {
      shipping = null;
    });
    return shipping;
  }

  async function shipSome(): Promise<boolean> {
    const ended = fs.readdirSync(notes).filter((name) => !live.has(name));
    await forEach(ended.slice(0, endsPerTurnMax), async (name) => {
      await shipEnd(options, toFolder(name));
      // It may have been claimed again meanwhile.
      if (!live.has(name)) fs.rmSync(path.join(notes, name), { force: true });
    });
    return ended.length > endsPerTurnMax;
  }

  return {
    loop: {
      name: loopName,
      everyMs,
      async turn() {
        const isMore = await shipEnded();
        await forEach([...live.values()], (attempt) => shipGrowth({ local, remote }, attempt));
        return isMore ? 'again' : 'idle';
      },
    },
    async flush() {
      await shipping?.catch(() => undefined); // Begun before the last ones ended.
      while (await shipEnded());
    },
    begin({ runId, attemptId }) {
      const name = `${runId}-${attemptId}`;
      fs.writeFileSync(path.join(notes, name), '');
      live.set(name, { attemptId, folder: toFolder(name), shippedBytes: null, notebookModifiedAtMs: null });
    },
    end(attempts) {
      const ended = new Set<number>(attempts.map(({ attemptId }) => attemptId));
      if (ended.size === 0) return;
      for (const [name, { attemptId }] of live) if (ended.has(attemptId)) live.delete(name);
      wake(loopName);
    },
  };
}

/** `<run id>-<attempt id>`. */
function toFolder(name: string): string {
  return `attempts/${name.replace('-', '/')}`;
}

/** What the log has more than at the last turn, and the notebook's cells. */
async function shipGrowth(
  { local, remote }: Pick<ShippingOptions, 'local' | 'remote'>,
  attempt: Live,
): Promise<void> {
  const key = `${attempt.folder}/output.log`;
  const sizeBytes = (await local.stat(key))?.sizeBytes ?? 0;
  if (sizeBytes > 0) attempt.shippedBytes ??= (await listParts(remote, key)).at(-1)?.endOffset ?? 0;
  const offset = attempt.shippedBytes ?? 0;
  if (sizeBytes > offset) {
    const grown = await local.get(key, { offset, length: Math.min(partBytesMax, sizeBytes - offset) });
    if (grown && grown.length > 0) {
      await remote.put(partKeyOf(key, offset), grown);
      attempt.shippedBytes = offset + grown.length;
    }
  }
  const notebook = `${attempt.folder}/notebook.json`;
  const stat = await local.stat(notebook);
  if (!stat || stat.sizeBytes > fileBytesMax || stat.modifiedAtMs === attempt.notebookModifiedAtMs) return;
  const content = await local.get(notebook);
  if (content) await remote.put(notebook, content);
  attempt.notebookModifiedAtMs = stat.modifiedAtMs;
}

/**
 * The first who ships an attempt's log or result is right: one that ran user code never runs again under its id, and
 * one that did not has left none. The notebook was shipped before, unfinished.
 */
async function shipEnd(
  { local, remote, log }: Pick<ShippingOptions, 'local' | 'remote' | 'log'>,
  folder: string,
): Promise<void> {
  const present = new Map((await remote.list(folder)).map((entry) => [entry.key, entry.sizeBytes]));
  for (const file of shippedFiles) {
    const key = `${folder}/${file}`;
    const stat = await local.stat(key);
    if (stat?.kind !== 'file' || stat.sizeBytes === 0) continue;
    if (stat.sizeBytes > fileBytesMax) {
      log.warn({ key, size_bytes: stat.sizeBytes }, 'a file of an attempt is too large to be shipped');
      continue;
    }
    if (file !== 'notebook.json' && (present.get(key) ?? -1) >= stat.sizeBytes) continue;
    const content = await local.stream(key);
    if (content) await remote.put(key, content);
  }
  const parts = partsFolderOf(`${folder}/output.log`);
  if (present.has(parts)) await remote.deletePrefix(parts);
}

/** All are tried; then the first failure is told. */
async function forEach<T>(entries: readonly T[], work: (entry: T) => Promise<void>): Promise<void> {
  const queue = [...entries];
  const failures: unknown[] = [];
  const lane = async () => {
    for (let entry = queue.shift(); entry !== undefined && failures.length < atOnce; entry = queue.shift())
      await work(entry).catch((error: unknown) => failures.push(error));
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  if (failures.length > 0) throw failures[0];
}
