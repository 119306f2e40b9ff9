/** What conditions, for-each and run-job tasks are and have come to, in words. Pure. */
import { type ConditionOp, findTaskKinds, type RunTaskDocument } from '@headrace/api';
import { hasEnded } from '../../ui/outcome.ts';

const signs: Readonly<Record<ConditionOp, string>> = {
  EQUAL_TO: '=',
  NOT_EQUAL: '≠',
  GREATER_THAN: '>',
  GREATER_THAN_OR_EQUAL: '≥',
  LESS_THAN: '<',
  LESS_THAN_OR_EQUAL: '≤',
};

/** `412 > 0`, or with its references while they are not resolved; null where there is no condition. */
export function conditionText(task: RunTaskDocument): string | null {
  const { condition_task: condition } = task;
  return condition ? `${condition.left} ${signs[condition.op]} ${condition.right}` : null;
}

/** `412 > 0 → true`. */
export function verdictText(task: RunTaskDocument): string | null {
  const text = conditionText(task);
  const outcome = task.condition_task?.outcome;
  return text === null || outcome === undefined ? text : `${text} → ${outcome}`;
}

/** A task with a condition beside its work: it runs only when that holds. */
export function isGuarded(task: RunTaskDocument): boolean {
  return task.condition_task !== undefined && findTaskKinds(task).length > 1;
}

/** `gpu=yes, zone=a`: what the task asks of its worker; null where it asks for nothing. */
export function askedLabelsText(task: RunTaskDocument): string | null {
  const labels = Object.entries(task.headrace?.worker_labels ?? {});
  return labels.length === 0 ? null : labels.map(([name, value]) => `${name}=${value}`).join(', ');
}

/** Where SQL and dbt tasks run their statements; null for others. */
export function warehouseText({ sql_task: sql, dbt_task: dbt }: RunTaskDocument): string | null {
  const task = sql ?? dbt;
  return task === undefined ? null : (task.warehouse_id ?? 'the default one');
}

/** Only user code has a log. */
export function runsCode(task: RunTaskDocument): boolean {
  const kind = findTaskKinds(task).find((each) => each !== 'condition_task');
  return kind !== undefined && kind !== 'for_each_task' && kind !== 'run_job_task';
}

/** Notebooks, and SQL tasks with their statements. */
export function showsCells(task: RunTaskDocument): boolean {
  return task.notebook_task !== undefined || task.sql_task !== undefined;
}

export interface Progress {
  readonly done: number;
  readonly total: number;
  /** `3 of 4 done, 1 failed, 2 at work`; short, for a node: `3/4, 1 failed`. */
  readonly text: string;
  readonly short: string;
}

export function progressOf(task: RunTaskDocument): Progress | null {
  const stats = task.for_each_task?.stats?.task_run_stats;
  if (!stats) return null;
  const { completed_iterations: done, total_iterations: total } = stats;
  const parts = [`${done} of ${total} done`];
  if (stats.failed_iterations > 0) parts.push(`${stats.failed_iterations} failed`);
  if (stats.active_iterations > 0) parts.push(`${stats.active_iterations} at work`);
  const end = stats.failed_iterations > 0 ? `, ${stats.failed_iterations} failed` : ' done';
  return { done, total, text: parts.join(', '), short: `${done}/${total}${end}` };
}

export interface WorkMark {
  /** What kind of node it is, and the same in little room. */
  readonly kind: string;
  readonly sign: string;
  /** What it has come to; empty before. */
  readonly text: string;
}

/** How the graph marks a task of control flow; null for all other tasks. */
export function markOf(task: RunTaskDocument): WorkMark | null {
  if (task.condition_task) {
    // What did not run was never asked: its condition says nothing.
    const isOpen = task.condition_task.outcome === undefined && hasEnded(task.state);
    const text = isOpen ? '' : (verdictText(task) ?? '');
    return isGuarded(task) ? { kind: 'guarded', sign: 'guard', text } : { kind: 'if', sign: 'if', text };
  }
  if (task.for_each_task) return { kind: 'for each', sign: 'each', text: progressOf(task)?.short ?? '' };
  if (!task.run_job_task) return null;
  const child = task.run_job_task.run_id;
  return { kind: 'run job', sign: 'job', text: child === undefined ? '' : `run ${child}` };
}

/** Inputs that are written as a reference are not known from the document. */
export function parseInputs(task: RunTaskDocument): readonly unknown[] {
  const inputs = task.for_each_task?.inputs;
  if (typeof inputs !== 'string') return inputs ?? [];
  try {
    const parsed: unknown = JSON.parse(inputs);
    return Array.isArray(parsed) ? parsed : [];
  } catch {
    return [];
  }
}

/** As JSON; a dash where it is not known. */
export function inputText(iteration: RunTaskDocument, inputs: readonly unknown[]): string {
  const { iteration: at, input = at === undefined ? undefined : inputs[at] } = iteration.headrace ?? {};
  return input === undefined ? '–' : JSON.stringify(input);
}

/** The latest attempt of each iteration, in the order of the inputs. */
export function sortIterations(iterations: readonly RunTaskDocument[]): RunTaskDocument[] {
  const latest = new Map<number, RunTaskDocument>();
  for (const each of iterations) {
    const seen = latest.get(placeOf(each));
    if (!seen || each.run_id >= seen.run_id) latest.set(placeOf(each), each);
  }
  return [...latest.values()].sort((a, b) => placeOf(a) - placeOf(b));
}

/** Of an iteration: which input is its. */
export function placeOf(iteration: RunTaskDocument): number {
  return iteration.headrace?.iteration ?? 0;
}
