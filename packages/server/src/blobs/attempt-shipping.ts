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
/** What a note says of an attempt whose former life is void; others are empty. */
const redoneMark = 'redone';
const firstEpoch = 1;
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
  /** Before it nothing is shipped: what has ended is not known. */
  resume(attempts: readonly Pick<ClaimedAttempt, 'runId' | 'attemptId'>[]): void;
  /** Synchronous: it lies between a claim and the start of user code. */
  begin(attempt: Pick<ClaimedAttempt, 'runId' | 'attemptId' | 'epoch'>): void;
  end(attempts: readonly Pick<ClaimedAttempt, 'attemptId'>[]): void;
  /** Ended before user code: nothing of it is shipped, for it may run again, and elsewhere. */
  drop(attempts: readonly Pick<ClaimedAttempt, 'attemptId'>[]): void;
}

interface Live {
  readonly attemptId: number;
  readonly folder: string;
  /** It was dispatched before, and lost before that was known to have begun: what it shipped then is void. */
  isRedone: boolean;
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
  let isResumed = false;

  function follow(
    { runId, attemptId }: Pick<ClaimedAttempt, 'runId' | 'attemptId'>,
    isRedone: boolean,
  ): void {
    const name = `${runId}-${attemptId}`;
    const note = path.join(notes, name);
    if (isRedone || !fs.existsSync(note)) fs.writeFileSync(note, isRedone ? redoneMark : '');
    const folder = toFolder(name);
    live.set(name, { attemptId, folder, isRedone, shippedBytes: null, notebookModifiedAtMs: null });
  }

  /** Gives back the names of their notes. */
  function forget(attempts: readonly Pick<ClaimedAttempt, 'attemptId'>[]): string[] {
    const ids = new Set<number>(attempts.map(({ attemptId }) => attemptId));
    const names = [...live].filter(([, { attemptId }]) => ids.has(attemptId)).map(([name]) => name);
    for (const name of names) live.delete(name);
    return names;
  }

  function shipEnded(): Promise<boolean> {
    shipping ??= shipSome().finally(() => {
      shipping = null;
    });
    return shipping;
  }

  async function shipSome(): Promise<boolean> {
    if (!isResumed) return false;
    const ended = fs.readdirSync(notes).filter((name) => !live.has(name));
    await forEach(ended.slice(0, endsPerTurnMax), async (name) => {
      const note = path.join(notes, name);
      if (fs.readFileSync(note, 'utf8') === redoneMark) await remote.deletePrefix(toFolder(name));
      await shipEnd(options, toFolder(name));
      // It may have been claimed again meanwhile.
      if (!live.has(name)) fs.rmSync(note, { force: true });
    });
    return ended.length > endsPerTurnMax;
  }

  return {
    loop: {
      name: loopName,
      everyMs,
      async turn() {
        // What cannot be shipped of the one keeps nobody from the other.
        const growing = forEach([...live.values()], (attempt) => shipGrowth({ local, remote }, attempt));
        const [isMore] = await Promise.allSettled([shipEnded(), growing]);
        await growing;
        if (isMore.status === 'rejected') throw isMore.reason;
        return isMore.value ? 'again' : 'idle';
      },
    },
    async flush() {
      await shipping?.catch(() => undefined); // Begun before the last ones ended.
      while (await shipEnded());
    },
    resume(attempts) {
      for (const attempt of attempts) follow(attempt, false);
      isResumed = true;
      wake(loopName);
    },
    begin: (attempt) => follow(attempt, attempt.epoch > firstEpoch),
    end(attempts) {
      if (forget(attempts).length > 0) wake(loopName);
    },
    drop(attempts) {
      for (const name of forget(attempts)) fs.rmSync(path.join(notes, name), { force: true });
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
  if (attempt.isRedone) {
    await remote.deletePrefix(attempt.folder);
    attempt.isRedone = false;
  }
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
 * What is there already is right: an attempt that ran user code does not run again under its id, unless nobody knew that
 * it had begun; then its note says so. The notebook was shipped before, unfinished.
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
