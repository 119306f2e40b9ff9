/**
 * The graph rules a second time, for tests: by recursion, without time, events or attempts, and without a line of the
 * engine. It is slow and simple on purpose; where the two differ, one of them misreads the table of rules.
 */

/** What a task is, as the rules need it. */
export interface NaiveTask {
  readonly key: string;
  readonly dependsOn: readonly { readonly key: string; readonly outcome: boolean | null }[];
  readonly runIf: string;
  readonly disabled: boolean;
  readonly guarded: boolean;
  readonly work: 'attempt' | 'condition' | 'for_each' | 'run_job';
  /** Of a for-each: those of each iteration. */
  readonly retriesMax: number;
  readonly retriesOnTimeout: boolean;
}

/** What becomes of a task if it gets to run. */
export interface Fate {
  /** Attempts that end badly before one ends well. */
  readonly failures: number;
  readonly badEnd: 'failed' | 'internal_error' | 'timed_out' | 'cancelled';
  /** Of its condition or guard; null: it cannot be evaluated, or of a for-each: its inputs are no list. */
  readonly holds: boolean | null;
  /** Of a for-each: the failures of each iteration. */
  readonly iterations: readonly number[];
}

export interface NaiveSituation {
  readonly tasks: readonly NaiveTask[];
  readonly fates: ReadonlyMap<string, Fate>;
  /** Results that stand, whatever the fates say: of tasks that ended before a repair or a cancel. */
  readonly kept: ReadonlyMap<string, string>;
  /** Task runs and iterations (`key#i`) that someone cancelled one by one. */
  readonly cancelled: ReadonlySet<string>;
  /** Iterations (`key#i`) whose earlier success counts. */
  readonly reused: ReadonlySet<string>;
  /** The whole run was cancelled: what is not kept ends so. */
  readonly isRunCancelled: boolean;
}

export function interpret(situation: NaiveSituation): Record<string, string> {
  const results: Record<string, string> = {};
  const resultOf = (key: string): string => {
    results[key] ??= interpretTask(situation, key, resultOf);
    return results[key];
  };
  for (const { key } of situation.tasks) resultOf(key);
  return results;
}

function interpretTask(situation: NaiveSituation, key: string, resultOf: (key: string) => string): string {
  const task = situation.tasks.find((each) => each.key === key);
  const fate = situation.fates.get(key);
  if (!task || !fate) return 'unknown';
  const kept = situation.kept.get(key);
  if (kept !== undefined) return kept;
  if (situation.isRunCancelled || situation.cancelled.has(key)) return 'cancelled';
  if (task.disabled) return 'disabled';
  const parents = task.dependsOn.map((edge) => {
    const result = resultOf(edge.key);
    const otherBranch = edge.outcome !== null && edge.outcome !== situation.fates.get(edge.key)?.holds;
    return result === 'succeeded' && otherBranch ? 'excluded' : result;
  });
  const refusal = whyNot(task.runIf, parents);
  return refusal ?? outcomeOfWork(task, fate, situation);
}

const failed = ['failed', 'timed_out', 'upstream_failed', 'internal_error'];
/** A task run cancelled on its own counts as failed for the rules that ask about failure. */
const handled = [...failed, 'cancelled'];

/** The table of rules; null: it runs. */
function whyNot(runIf: string, parents: readonly string[]): string | null {
  if (parents.length === 0) return null;
  const are = (kinds: readonly string[]) => parents.filter((parent) => kinds.includes(parent)).length;
  if (are(['excluded']) === parents.length) return 'excluded';
  const isMet =
    (runIf === 'ALL_SUCCESS' && are(['succeeded']) === parents.length) ||
    (runIf === 'AT_LEAST_ONE_SUCCESS' && are(['succeeded']) > 0) ||
    (runIf === 'NONE_FAILED' && are(handled) === 0) ||
    runIf === 'ALL_DONE' ||
    (runIf === 'AT_LEAST_ONE_FAILED' && are(handled) > 0) ||
    (runIf === 'ALL_FAILED' && are(handled) === parents.length);
  if (isMet) return null;
  if (runIf === 'AT_LEAST_ONE_FAILED' || runIf === 'ALL_FAILED') return 'excluded';
  if (are(failed) > 0) return 'upstream_failed';
  if (are(['cancelled', 'upstream_cancelled']) > 0) return 'upstream_cancelled';
  return are(['disabled']) > 0 ? 'disabled' : 'excluded';
}

function outcomeOfWork(task: NaiveTask, fate: Fate, situation: NaiveSituation): string {
  if (task.work === 'condition') return fate.holds === null ? 'failed' : 'succeeded';
  if (task.guarded && fate.holds === null) return 'failed';
  if (task.guarded && fate.holds === false) return 'excluded';
  if (task.work === 'for_each') return outcomeOfIterations(task, fate, situation);
  return outcomeOfAttempts(task, fate);
}

function outcomeOfAttempts(task: NaiveTask, { failures, badEnd }: Fate): string {
  if (failures === 0) return 'succeeded';
  const isRetried = badEnd !== 'cancelled' && (badEnd !== 'timed_out' || task.retriesOnTimeout);
  return isRetried && failures <= task.retriesMax ? 'succeeded' : badEnd;
}

function outcomeOfIterations(
  task: NaiveTask,
  { holds, iterations }: Fate,
  situation: NaiveSituation,
): string {
  if (holds === null) return 'failed';
  const results = iterations.map((failures, at) => {
    const name = `${task.key}#${at}`;
    if (situation.reused.has(name)) return 'succeeded';
    if (situation.cancelled.has(name)) return 'cancelled';
    return failures <= task.retriesMax ? 'succeeded' : 'failed';
  });
  if (results.includes('failed')) return 'failed';
  return results.includes('cancelled') ? 'cancelled' : 'succeeded';
}

/** How a run ends that nobody cancelled: the tasks that nothing depends on decide. */
export function interpretRun(tasks: readonly NaiveTask[], results: Readonly<Record<string, string>>): string {
  const isParent = (key: string) => tasks.some((task) => task.dependsOn.some((edge) => edge.key === key));
  const leaves = tasks.filter(({ key }) => !isParent(key)).map(({ key }) => results[key] ?? '?');
  const bad = leaves.filter((result) => failed.includes(result));
  if (bad.length > 0) return 'failed';
  if (leaves.includes('cancelled') || leaves.includes('upstream_cancelled')) return 'cancelled';
  const anyFailed = Object.values(results).some((result) => failed.includes(result));
  return anyFailed ? 'succeeded_with_failures' : 'succeeded';
}

export interface NaiveRepair {
  readonly rerunTasks: readonly string[];
  readonly rerunAllFailed: boolean;
  readonly rerunDependent: boolean;
}

/** The tasks that a repair runs again; none: there is nothing to repair. */
export function interpretRepair(
  tasks: readonly NaiveTask[],
  results: Readonly<Record<string, string>>,
  repair: NaiveRepair,
): Set<string> {
  const ended = [...handled, 'upstream_cancelled'];
  const chosen = new Set(repair.rerunTasks);
  for (const { key } of tasks) {
    if (repair.rerunAllFailed && ended.includes(results[key] ?? '')) chosen.add(key);
  }
  // One that still waits runs after them anyway.
  const mayFollow = ({ key }: NaiveTask) => results[key] !== 'blocked';
  if (repair.rerunDependent) {
    const after = dependents(tasks, chosen);
    for (const task of tasks) if (after.has(task.key) && mayFollow(task)) chosen.add(task.key);
  }
  return chosen;
}

export function dependents(tasks: readonly NaiveTask[], keys: ReadonlySet<string>): Set<string> {
  const isAfter = ({ dependsOn }: NaiveTask): boolean =>
    dependsOn.some(({ key }) => {
      const parent = tasks.find((task) => task.key === key);
      return keys.has(key) || (parent !== undefined && isAfter(parent));
    });
  return new Set(tasks.filter(isAfter).map(({ key }) => key));
}
