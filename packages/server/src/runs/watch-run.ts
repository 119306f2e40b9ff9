/** A run as it changes, until it has ended: all tasks first, then those that differ from what was last sent. */
import { ApiError, type RunEvent, type RunTaskDocument } from '@headrace/api';
import type { Services } from '../services.ts';
import { readRunParts } from './read-run-parts.ts';
import { type RunView, readRun, readTaskRuns, type TaskRunView } from './store.ts';
import { toRunDocument } from './wire.ts';
import { noParts, type RunParts } from './wire-tasks.ts';

/** Changes that come faster go out together: a person does not see more, and a large run costs a read each time. */
const pauseMs = 100;
/** Iterations by the thousand are counted less often than a run is read. */
const countPauseMs = 1_000;
/** Without news the truth is looked at again: a change may have been made by another server. */
const lookAgainMs = 5_000;

export async function* watchRun(
  { db, events, clock }: Pick<Services, 'db' | 'events' | 'clock'>,
  request: { readonly runId: number; readonly publicUrl: string; readonly signal: AbortSignal },
): AsyncGenerator<RunEvent, void, undefined> {
  const { runId, publicUrl, signal } = request;
  const bell = createBell(signal);
  const unsubscribe = events.subscribe(runId, bell.ring);
  const sent = new Map<number, string>();
  const readParts = createPartsReader({ db, clock });
  let version = -1;
  let isBehind = false;
  try {
    while (!signal.aborted) {
      const run = await readRun(db, runId);
      if (!run) {
        if (version >= 0) return;
        throw new ApiError('INVALID_PARAMETER_VALUE', `Run ${runId} does not exist.`);
      }
      const ended = run.phase === 'ended';
      if (run.version !== version || isBehind) {
        version = run.version;
        const taskRuns = await readTaskRuns(db, [runId]);
        const read = await readParts(run, taskRuns);
        isBehind = read.isBehind;
        const document = toRunDocument(run, taskRuns, { publicUrl }, read.parts);
        const { state, status } = document;
        const tasks = changedSince(document.tasks ?? [], sent);
        yield { version, run_id: runId, at_ms: clock.nowMs(), state, status, tasks, ended };
      }
      if (ended) return;
      await bell.wait(isBehind ? countPauseMs : lookAgainMs);
      await pause(pauseMs, signal);
    }
  } finally {
    unsubscribe();
  }
}

/** Says where iterations were not counted again: then they must be, even without news. */
function createPartsReader({ db, clock }: Pick<Services, 'db' | 'clock'>) {
  let counts: RunParts['counts'] = new Map();
  let countedAtMs = Number.NEGATIVE_INFINITY;
  let endedBefore = 0;
  return async (run: RunView, taskRuns: readonly TaskRunView[]) => {
    const forEach = taskRuns.filter((taskRun) => taskRun.inputs_count !== null);
    const ended = forEach.filter(({ state }) => state === 'ended').length;
    // One that has ended is told with its last counts.
    const mayWait = ended === endedBefore && clock.nowMs() < countedAtMs + countPauseMs;
    const isBehind = forEach.length > 0 && run.phase !== 'ended' && mayWait;
    endedBefore = ended;
    const read = await readRunParts(db, [run], { taskRuns: isBehind ? [] : taskRuns });
    const parts = read.get(run.run_id) ?? noParts;
    if (isBehind) return { parts: { ...parts, counts }, isBehind };
    counts = parts.counts;
    countedAtMs = clock.nowMs();
    return { parts, isBehind };
  };
}

function changedSince(tasks: readonly RunTaskDocument[], sent: Map<number, string>): RunTaskDocument[] {
  return tasks.filter((task) => {
    const text = JSON.stringify(task);
    if (sent.get(task.run_id) === text) return false;
    sent.set(task.run_id, text);
    return true;
  });
}

/** Remembers a ring that comes while nobody waits. */
function createBell(signal: AbortSignal) {
  let hasRung = false;
  let wake: (() => void) | null = null;
  const ring = () => {
    hasRung = true;
    wake?.();
  };
  signal.addEventListener('abort', ring);
  return {
    ring,
    async wait(waitMs: number): Promise<void> {
      if (!hasRung) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, waitMs);
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
      wake = null;
      hasRung = false;
    },
  };
}

function pause(waitMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, waitMs);
    signal.addEventListener('abort', done);
  });
}
