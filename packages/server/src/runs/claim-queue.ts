/**
 * Who waits for attempts, and which attempts wait. Entries may be out of date: whoever takes one asks the run
 * whether the attempt is still queued.
 *
 * Attempts that ask for the same labels form one line. A claimer looks at the heads of the lines that it may take
 * from, and finds these by its own labels: a line stands under the first label that it asks for, so what nobody here
 * can take is not even looked at, however long the line.
 */
import { type AttemptId, mayTake, type RunId, type WorkerLabels } from '@headrace/core';
import type { ClaimedAttempt } from '@headrace/worker';

export interface WaitingClaimer {
  readonly workerId: string;
  readonly labels: WorkerLabels;
  readonly freeSlots: () => number;
  readonly prepare: (attempts: readonly ClaimedAttempt[]) => void;
  /** Called once, after the commit; the claimer no longer waits then. */
  readonly deliver: (attempts: readonly ClaimedAttempt[]) => void;
}

export interface QueuedAttempt {
  readonly runId: RunId;
  readonly attemptId: AttemptId;
  /** What it asks for. */
  readonly asked: WorkerLabels;
  readonly queuedAtMs: number;
}

export interface Offer {
  readonly claimer: WaitingClaimer;
  readonly free: number;
}

interface Line {
  readonly key: string;
  readonly asked: WorkerLabels;
  /** In the order in which they became ready, which a Map keeps; unless what the store had came later. */
  attempts: Map<AttemptId, Placed>;
  isSorted: boolean;
  newestAtMs: number;
}

interface Placed extends QueuedAttempt {
  /** Over all lines, among those of the same moment. */
  readonly place: number;
}

/** The store has the others. About 2 MB, and more than all workers take in a minute. */
export const lineAttemptsMax = 10_000;
/** Wishes are few; a name of its own in each run's would make a line of each. The store has the others. */
export const linesMax = 10_000;
/** Lines that no worker has come for in so long are left to the store: it may have been another server's worker. */
export const unwantedMs = 60_000;
/** Where this queue has enough for all, the store is asked no more often: for those that have waited longer there. */
const lookEveryMs = 1_000;
/** As many as there are kinds of workers; beyond it the store is asked once more than needed. */
const lookedForMax = 1_000;

export class ClaimQueue {
  readonly #claimers = new Set<WaitingClaimer>();
  readonly #lines = new Map<string, Line>();
  readonly #linesByFirstLabel = new Map<string, Set<Line>>();
  readonly #placed = new Set<AttemptId>();
  #nextPlace = 0;
  #lookedAtMs = 0;
  #looks = 0;
  /** Labels of claimers for whom the store has nothing that this queue does not have. */
  readonly #lookedFor = new Set<string>();
  /** Labels of claimers that came since unwanted lines were dropped. */
  readonly #seen = new Map<string, WorkerLabels>();
  #droppedAtMs = 0;

  addClaimer(claimer: WaitingClaimer): void {
    this.#claimers.add(claimer);
    this.#seen.set(keyOf(claimer.labels), claimer.labels);
  }

  /** False when it does not wait any more. */
  removeClaimer(claimer: WaitingClaimer): boolean {
    return this.#claimers.delete(claimer);
  }

  /**
   * With the free slots of each, asked now. Those with the fewest labels first, so that the others are kept for what
   * only they can take.
   */
  offers(): Offer[] {
    return [...this.#claimers]
      .map((claimer) => ({ claimer, free: claimer.freeSlots() }))
      .filter(({ free }) => free > 0)
      .sort((a, b) => Object.keys(a.claimer.labels).length - Object.keys(b.claimer.labels).length);
  }

  add(attempt: QueuedAttempt): void {
    if (this.has(attempt.attemptId)) return;
    const line = this.#lineFor(attempt.asked);
    if (line === null || line.attempts.size >= lineAttemptsMax) return this.lookInStoreAgain();
    line.attempts.set(attempt.attemptId, { ...attempt, place: this.#nextPlace++ });
    this.#placed.add(attempt.attemptId);
    if (attempt.queuedAtMs < line.newestAtMs) line.isSorted = false;
    else line.newestAtMs = attempt.queuedAtMs;
  }

  has(attemptId: AttemptId): boolean {
    return this.#placed.has(attemptId);
  }

  /** It ended in the queue: nobody may ever come for it. */
  remove({ attemptId, asked }: Pick<QueuedAttempt, 'attemptId' | 'asked'>): void {
    const line = this.#lines.get(keyOf(asked));
    if (line?.attempts.has(attemptId)) this.#takeFrom(line, attemptId);
  }

  /** The one that has waited longest among those that this worker may take. */
  take(labels: WorkerLabels): QueuedAttempt | null {
    let best: { readonly line: Line; readonly first: Placed } | null = null;
    for (const line of this.#linesFor(labels)) {
      const first = firstOf(line);
      if (first && (best === null || compareWaits(first, best.first) < 0)) best = { line, first };
    }
    if (best === null) return null;
    this.#takeFrom(best.line, best.first.attemptId);
    return best.first;
  }

  /** Whether each of them would find all that it has room for, whatever the others take. */
  hasEnoughFor(offers: readonly Offer[]): boolean {
    const wanted = offers.reduce((sum, { free }) => sum + free, 0);
    return offers.every(({ claimer }) => this.#countFor(claimer.labels, wanted) >= wanted);
  }

  /** Whether somebody who waits could take something now. */
  get canServe(): boolean {
    return this.size > 0 && this.offers().some(({ claimer }) => this.#countFor(claimer.labels, 1) > 0);
  }

  /** Without it, what others have taken would stay here for ever where no worker asks for the like of it. */
  dropUnwanted(nowMs: number): void {
    if (nowMs - this.#droppedAtMs < unwantedMs) return;
    this.#droppedAtMs = nowMs;
    const wanting = [...this.#seen.values(), ...[...this.#claimers].map(({ labels }) => labels)];
    this.#seen.clear();
    for (const line of [...this.#lines.values()]) {
      if (wanting.some((labels) => mayTake(labels, line.asked))) continue;
      for (const attemptId of line.attempts.keys()) this.#placed.delete(attemptId);
      this.#forgetLine(line);
    }
    this.lookInStoreAgain();
  }

  /** The store may know of queued attempts that this queue does not. */
  lookInStoreAgain(): void {
    this.#lookedFor.clear();
  }

  /** Attempts may stand in the store that have waited longer than those here. */
  isLookDue(nowMs: number): boolean {
    return Math.abs(nowMs - this.#lookedAtMs) >= lookEveryMs;
  }

  noteLook(nowMs: number): void {
    this.#lookedAtMs = nowMs;
  }

  /** Of those who wait, each set once, where the store may have more. */
  labelsToLookFor(offers: readonly Offer[]): WorkerLabels[] {
    const wanted = new Map(offers.map(({ claimer: { labels } }) => [keyOf(labels), labels]));
    for (const key of this.#lookedFor) wanted.delete(key);
    return [...wanted.values()];
  }

  /** The queue has got all that the store had for such a worker. */
  noteAllTaken(labels: WorkerLabels): void {
    if (this.#lookedFor.size >= lookedForMax) this.#lookedFor.clear();
    this.#lookedFor.add(keyOf(labels));
  }

  get size(): number {
    return this.#placed.size;
  }

  /** Lines looked at so far: for tests, since noise cannot move counts. */
  get looksCount(): number {
    return this.#looks;
  }

  /** Nobody waits. */
  get isIdle(): boolean {
    return this.#claimers.size === 0;
  }

  #countFor(labels: WorkerLabels, enough: number): number {
    let count = 0;
    for (const { attempts } of this.#linesFor(labels)) {
      count += attempts.size;
      if (count >= enough) break;
    }
    return count;
  }

  *#linesFor(labels: WorkerLabels): Iterable<Line> {
    for (const name of ['', ...Object.keys(labels)]) {
      const place = name === '' ? '' : toText(name, labels[name] ?? '');
      for (const line of this.#linesByFirstLabel.get(place) ?? []) {
        this.#looks += 1;
        if (mayTake(labels, line.asked)) yield line;
      }
    }
  }

  #lineFor(asked: WorkerLabels): Line | null {
    const key = keyOf(asked);
    const known = this.#lines.get(key);
    if (known) return known;
    if (this.#lines.size >= linesMax && key !== '') return null;
    const line: Line = {
      key,
      asked,
      attempts: new Map(),
      isSorted: true,
      newestAtMs: Number.NEGATIVE_INFINITY,
    };
    this.#lines.set(key, line);
    const first = firstLabelOf(asked);
    const beside = this.#linesByFirstLabel.get(first) ?? new Set();
    this.#linesByFirstLabel.set(first, beside.add(line));
    return line;
  }

  #takeFrom(line: Line, attemptId: AttemptId): void {
    line.attempts.delete(attemptId);
    this.#placed.delete(attemptId);
    // Most ask for nothing: their line is kept, though it is empty again and again.
    if (line.attempts.size === 0 && line.key !== '') this.#forgetLine(line);
  }

  #forgetLine(line: Line): void {
    this.#lines.delete(line.key);
    const first = firstLabelOf(line.asked);
    const beside = this.#linesByFirstLabel.get(first);
    beside?.delete(line);
    if (beside?.size === 0) this.#linesByFirstLabel.delete(first);
  }
}

function firstOf(line: Line): Placed | null {
  if (!line.isSorted) {
    const placed = [...line.attempts.values()].sort(compareWaits);
    line.attempts = new Map(placed.map((each) => [each.attemptId, each]));
    line.isSorted = true;
    line.newestAtMs = placed.at(-1)?.queuedAtMs ?? Number.NEGATIVE_INFINITY;
  }
  const [first = null] = line.attempts.values();
  return first;
}

function compareWaits(a: Placed, b: Placed): number {
  return a.queuedAtMs - b.queuedAtMs || a.place - b.place;
}

/** Labels are parts of definitions and of claimers, which do not change: kept by identity. */
const keys = new WeakMap<WorkerLabels, string>();

function keyOf(labels: WorkerLabels): string {
  const known = keys.get(labels);
  if (known !== undefined) return known;
  const texts = sortedTexts(labels);
  const key = texts.length === 0 ? '' : JSON.stringify(texts);
  keys.set(labels, key);
  return key;
}

function firstLabelOf(asked: WorkerLabels): string {
  return sortedTexts(asked)[0] ?? '';
}

function sortedTexts(labels: WorkerLabels): string[] {
  return Object.entries(labels)
    .map(([name, value]) => toText(name, value))
    .sort();
}

/** A name has no '='. */
function toText(name: string, value: string): string {
  return `${name}=${value}`;
}
