/**
 * Runs in memory, as they stand in the store at `run.version`. Only a shortcut: whoever saves with a version that
 * is no longer true changes nothing, and loads again.
 */
import { type Run, wakeAtMs } from '@headrace/core';
import { assert } from '../assert.ts';
import type { Querier } from '../db/connect.ts';
import type { RunFacts } from './run-facts.ts';
import { toRun, toRunFacts } from './run-rows.ts';
import { type LoadedRun, loadRuns } from './save-store.ts';

export interface HotRun {
  readonly facts: RunFacts;
  readonly run: Run;
}

/** A 1,000-task run takes about 1 MB; most are far smaller. */
const hotRunsMax = 300;

export class HotRuns {
  readonly #runs = new Map<number, HotRun>();
  readonly #db: Querier;

  constructor(db: Querier) {
    this.#db = db;
  }

  get(runId: number): HotRun | null {
    return this.#runs.get(runId) ?? null;
  }

  /** The most recently kept stay; true when another had to go. */
  keep({ facts, run }: HotRun): boolean {
    this.#runs.delete(run.runId);
    this.#runs.set(run.runId, { facts, run });
    if (this.#runs.size <= hotRunsMax) return false;
    const [oldest] = this.#runs.keys();
    if (oldest !== undefined) this.#runs.delete(oldest);
    return true;
  }

  /** Of the runs in memory: those whose time has come, and when the next one's comes. */
  wakes(nowMs: number): { readonly due: readonly number[]; readonly nextAtMs: number | null } {
    const due: number[] = [];
    let nextAtMs = Number.POSITIVE_INFINITY;
    for (const { run } of this.#runs.values()) {
      const atMs = wakeAtMs(run);
      if (atMs === null) continue;
      if (atMs <= nowMs) due.push(run.runId);
      else nextAtMs = Math.min(nextAtMs, atMs);
    }
    return { due, nextAtMs: Number.isFinite(nextAtMs) ? nextAtMs : null };
  }

  /** For the doctor. */
  versions(): ReadonlyMap<number, number> {
    return new Map([...this.#runs].map(([runId, { run }]) => [runId, run.version]));
  }

  forget(runId: number): void {
    this.#runs.delete(runId);
  }

  forgetAll(): void {
    this.#runs.clear();
  }

  /**
   * From the store, whatever is in memory. Runs that do not exist are left out; of one that cannot be read
   * `onUnreadable` hears, and without it the call fails.
   */
  async load(
    runIds: readonly number[],
    onUnreadable?: (runId: number, error: unknown) => void,
  ): Promise<HotRun[]> {
    if (runIds.length === 0) return [];
    const loaded = await loadRuns(this.#db, runIds);
    return loaded.flatMap((parts) => {
      try {
        return [toLoadedRun(parts)];
      } catch (error) {
        if (!onUnreadable) throw error;
        onUnreadable(parts.run.run_id, error);
        return [];
      }
    });
  }
}

function toLoadedRun(parts: LoadedRun): HotRun {
  const generation = parts.generations.find(({ generation: index }) => index === parts.run.generation);
  assert(generation, `run ${parts.run.run_id} lacks generation ${parts.run.generation}`);
  return {
    facts: toRunFacts(parts.run, generation),
    run: toRun(parts.run, {
      generations: parts.generations,
      taskRuns: parts.task_runs ?? [],
      taskValues: parts.task_values ?? [],
    }),
  };
}
