/**
 * The promise, written down as it is kept: what may happen once, what may never change, what must not be exceeded.
 * Throws `BrokenPromise` at the step that breaks it.
 */
import type { AttemptId, RunId } from '../ids.ts';
import { type AdvanceContext, advance } from '../run/advance.ts';
import type { AdvanceResult } from '../run/draft.ts';
import type { RunEvent } from '../run/events.ts';
import { brokenInvariants } from '../run/invariants.ts';
import { type Run, slotOf, type TaskDefinition, type TaskRun } from '../run/state.ts';
import type { RunSave, Store } from './store.ts';
import { phaseOf } from './store.ts';

export class BrokenPromise extends Error {}

export class Ledger {
  readonly #userCodeStarts = new Set<AttemptId>();
  readonly #grants = new Map<string, string>();
  readonly #runEnds = new Set<string>();
  readonly #taskEnds = new Set<AttemptId>();
  readonly #attemptNumbers = new Set<string>();
  readonly #children = new Map<AttemptId, RunId>();

  /** The real core, with an eye on what it must refuse. */
  advance(run: Run, events: readonly RunEvent[], context: AdvanceContext): AdvanceResult {
    const result = advance(run, events, context);
    const [event] = events;
    // With several events an earlier one may make room for a later one.
    if (events.length === 1 && event && isOfEarlierEpoch(run, event) && result.changes.size > 0) {
      const isTaken = result.ignored.every((ignored) => ignored.event !== event);
      if (isTaken) broken(`'${event.kind}' of an earlier epoch was taken by run ${run.runId}`);
    }
    if (result.run !== run && result.run.version !== run.version + 1)
      broken(`run ${run.runId} went from version ${run.version} to ${result.run.version}`);
    return result;
  }

  beforeSave(stored: Run | null, save: RunSave): void {
    if (stored) this.#checkEndedGenerations(stored, save.run);
    for (const { after } of save.changes.values()) {
      const former = stored?.taskRuns.get(slotOf(after.taskKey, after.iteration));
      if (former?.attemptId !== after.attemptId) continue;
      const where = `'${slotOf(after.taskKey, after.iteration)}' of run ${save.run.runId}`;
      if (after.epoch < former.epoch)
        broken(`${where} went back from epoch ${former.epoch} to ${after.epoch}`);
      if (former.state.kind === 'ended' && former !== after) broken(`${where} had ended and changed`);
    }
    if (!stored && save.facts.parent) {
      const { attemptId } = save.facts.parent;
      if (this.#children.has(attemptId)) broken(`attempt ${attemptId} has a second run`);
      this.#children.set(attemptId, save.run.runId);
    }
  }

  #checkEndedGenerations(stored: Run, run: Run): void {
    if (run.generations.length < stored.generations.length) broken(`run ${run.runId} lost a generation`);
    for (const [at, generation] of stored.generations.entries()) {
      if (generation.phase.kind !== 'ended') continue;
      const now = run.generations[at];
      if (now?.phase !== generation.phase || now.definition !== generation.definition)
        broken(`generation ${at} of run ${run.runId} had ended and changed`);
    }
    const ended = phaseOf(stored).kind === 'ended' && run.generations.length === stored.generations.length;
    if (ended && run.taskRuns !== stored.taskRuns) broken(`run ${run.runId} had ended and its tasks changed`);
  }

  afterSave(save: RunSave, store: Store): void {
    const { run } = save;
    for (const sentence of brokenInvariants(run)) broken(`run ${run.runId}: ${sentence}`);
    this.#checkRows(save, store);
    this.#checkAttempts(save);
    this.#checkNotifications(save);
    if (run.jobId !== null) {
      const { active, runsMax } = store.readPlaces(run.jobId);
      if (active > runsMax) broken(`job ${run.jobId} has ${active} active runs of ${runsMax} allowed`);
    }
  }

  /** What the next to load the run would see is what this writer believes. */
  #checkRows({ run, changes }: RunSave, store: Store): void {
    for (const { after } of changes.values()) {
      const row = store.rows.get(after.attemptId);
      if (row?.taskRun !== after)
        broken(`attempt ${after.attemptId} of run ${run.runId} was fenced off by its epoch`);
    }
    for (const [slot, taskRun] of run.taskRuns) {
      if (store.rows.get(taskRun.attemptId)?.taskRun !== taskRun)
        broken(`'${slot}' of run ${run.runId} changed and was not among the changes`);
    }
  }

  #checkAttempts({ run, changes }: RunSave): void {
    for (const { before, after } of changes.values()) {
      if (before !== null) continue;
      const slot = slotOf(after.taskKey, after.iteration);
      const name = `${run.runId} ${after.generation} ${slot} ${after.parentAttemptId} ${after.attempt}`;
      if (this.#attemptNumbers.has(name))
        broken(`'${slot}' of run ${run.runId} has attempt ${after.attempt} twice`);
      this.#attemptNumbers.add(name);
      const definition = run.generations[after.generation]?.definition.tasks;
      const retriesMax = definition ? findTask(definition, after.taskKey)?.retry.retriesMax : undefined;
      if (retriesMax !== undefined && retriesMax !== -1 && after.attempt > retriesMax)
        broken(`'${slot}' of run ${run.runId} has retry ${after.attempt} of ${retriesMax} allowed`);
    }
  }

  #checkNotifications({ run, changes, commands }: RunSave): void {
    for (const command of commands) {
      if (command.kind !== 'notify') continue;
      const { subject } = command;
      if (subject.kind === 'task_ended') once(this.#taskEnds, subject.attemptId, 'the end of attempt');
      if (subject.kind === 'run_ended')
        once(this.#runEnds, `${run.runId}/${subject.generation}`, 'the end of run');
    }
    for (const { index, phase } of run.generations) {
      const isTold = this.#runEnds.has(`${run.runId}/${index}`);
      const mustBeTold = phase.kind === 'ended' && phase.result !== 'continued' && run.version > 0;
      if (isTold !== mustBeTold)
        broken(
          `the end of generation ${index} of run ${run.runId} was ${isTold ? 'told too early' : 'not told'}`,
        );
    }
    for (const { after } of changes.values()) {
      if (after.state.kind !== 'ended' || after.state.claimedAtMs === null) continue;
      const isRetried = [...changes.values()].some(
        ({ before, after: next }) => before === null && follows(next, after),
      );
      if (isRetried === this.#taskEnds.has(after.attemptId))
        broken(
          `the end of attempt ${after.attemptId} was ${isRetried ? 'told, and it is retried' : 'not told'}`,
        );
    }
  }

  /** A worker was given an attempt under an epoch: nobody else ever is. */
  granted(workerId: string, { attemptId, epoch }: Pick<TaskRun, 'attemptId' | 'epoch'>): void {
    const lease = `${attemptId}@${epoch}`;
    const holder = this.#grants.get(lease);
    if (holder !== undefined && holder !== workerId)
      broken(`attempt ${attemptId} epoch ${epoch} was given to ${holder} and to ${workerId}`);
    this.#grants.set(lease, workerId);
  }

  userCodeStarts(attemptId: AttemptId): void {
    once(this.#userCodeStarts, attemptId, 'the start of user code of attempt');
  }
}

function isOfEarlierEpoch(run: Run, event: RunEvent): boolean {
  if (!('epoch' in event)) return false;
  for (const { attemptId, epoch } of run.taskRuns.values())
    if (attemptId === event.attemptId) return event.epoch < epoch;
  return false;
}

function findTask(tasks: readonly TaskDefinition[], key: string): TaskDefinition | undefined {
  for (const task of tasks) {
    if (task.key === key) return task;
    if (task.work.kind === 'for_each' && task.work.task.key === key) return task.work.task;
  }
  return undefined;
}

function follows(next: TaskRun, former: TaskRun): boolean {
  return (
    next.attempt === former.attempt + 1 &&
    next.taskKey === former.taskKey &&
    next.iteration === former.iteration
  );
}

function once<T>(seen: Set<T>, key: T, what: string): void {
  if (seen.has(key)) broken(`${what} ${key} came twice`);
  seen.add(key);
}

export function broken(sentence: string): never {
  throw new BrokenPromise(sentence);
}
