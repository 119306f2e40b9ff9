/** Which tasks a repair runs again: the same answer for the preview, the request and the run itself. */
import { descendantsOf, type Graph, graphOf } from '../graph/graph.ts';
import { decideByRunIf, isFailed } from '../graph/ready.ts';
import type { EndedResult, Run, RunDefinition, TaskDefinition, TaskRun } from './state.ts';

export interface RepairRequest {
  /** Task keys. */
  readonly rerunTasks: readonly string[];
  /** All tasks that failed, timed out, were cancelled or were skipped for such a task. */
  readonly rerunAllFailed: boolean;
  /** With the chosen tasks all that depend on them. */
  readonly rerunDependent: boolean;
  /** Repair although the run is active: refused if a chosen task or one that depends on it is live. */
  readonly whileActive: boolean;
  /** Must name the last repair, where there is one. */
  readonly latestRepairId: number | null;
  /** What the repair runs: the job as it is now, or as it was. An active run keeps its own. */
  readonly definition: RunDefinition;
  readonly changesParameters: boolean;
}

export interface RepairRefusal {
  readonly reason: string;
  /** Of the request, where one is wrong; null when the run does not allow the repair. */
  readonly field: 'rerun_tasks' | 'latest_repair_id' | null;
}

export type RepairPlan =
  | ({ readonly kind: 'refused' } & RepairRefusal)
  | {
      readonly kind: 'planned';
      /** In graph order. `rerun`: a new attempt; `reuse`: its result stands; `skip`: chosen, and its parents keep it from running. */
      readonly tasks: readonly { readonly key: string; readonly action: 'rerun' | 'reuse' | 'skip' }[];
      readonly reusesIterations: boolean;
    };

type RepairedRun = Pick<Run, 'generations' | 'taskRuns'>;

export function planRepair(run: RepairedRun, request: RepairRequest): RepairPlan {
  const refusal = findRefusal(run, request);
  if (refusal !== null) return { kind: 'refused', ...refusal };
  const graph = graphOf(definitionOfRepair(run, request));
  const chosen = chooseTasks(run, request, graph);
  const stuck = chosen.size === 0 ? 'no task of this run needs to run again' : findLive(run, graph, chosen);
  if (stuck !== null) return { kind: 'refused', ...notNow(stuck) };
  const tasks = decideActions(run, graph, chosen);
  return { kind: 'planned', tasks, reusesIterations: mayReuseIterations(request, graph, chosen) };
}

/** Of an active run the tasks that are under way must keep their definition, so all do. */
export function definitionOfRepair({ generations }: RepairedRun, request: RepairRequest): RunDefinition {
  const current = generations[generations.length - 1];
  return current && current.phase.kind !== 'ended' ? current.definition : request.definition;
}

function notNow(reason: string): RepairRefusal {
  return { reason, field: null };
}

function findRefusal(run: RepairedRun, request: RepairRequest): RepairRefusal | null {
  const { generations, taskRuns } = run;
  const current = generations[generations.length - 1];
  const isActive = current?.phase.kind !== 'ended';
  if (isActive && !request.whileActive) {
    return notNow('the run is active: wait until it has ended, or ask for a repair while it is active');
  }
  if (current?.phase.kind === 'queued' || current?.phase.kind === 'terminating') {
    return notNow(`the run is ${current.phase.kind}: nothing of it can be repaired now`);
  }
  if (taskRuns.size === 0) return notNow('the run was skipped: it has no task to repair');
  const reason = findOutdated(current?.repair?.repairId ?? null, request.latestRepairId);
  if (reason !== null) return { reason, field: 'latest_repair_id' };
  if (request.rerunTasks.length === 0 && !request.rerunAllFailed) {
    const reason = 'nothing is chosen; name the tasks to run again, or set rerun_all_failed_tasks';
    return { reason, field: 'rerun_tasks' };
  }
  const { byKey } = graphOf(definitionOfRepair(run, request));
  const unknown = request.rerunTasks.filter((key) => !byKey.has(key));
  if (unknown.length === 0) return null;
  return { reason: `${unknown.join(', ')}: no such task`, field: 'rerun_tasks' };
}

/** Whoever repairs again must have seen the last repair. */
function findOutdated(last: number | null, named: number | null): string | null {
  if (last !== null && named === null) {
    return `this run has been repaired before; name its latest repair, ${last}`;
  }
  if (named === null || named === last) return null;
  return last === null ? 'this run has not been repaired yet' : `the latest repair is ${last}, not ${named}`;
}

/** Tasks that the run does not know yet (its job has grown) are always among them. */
function chooseTasks({ taskRuns }: RepairedRun, request: RepairRequest, graph: Graph): Set<string> {
  const chosen = new Set(request.rerunTasks);
  if (request.rerunAllFailed) {
    for (const { key } of graph.order) if (needsRerun(taskRuns.get(key))) chosen.add(key);
  }
  if (chosen.size === 0) return chosen;
  if (request.rerunDependent) {
    for (const key of descendantsOf(graph, chosen)) {
      // One that still waits will see the new attempts of its parents anyway.
      if (taskRuns.get(key)?.state.kind !== 'blocked') chosen.add(key);
    }
  }
  for (const { key } of graph.order) if (!taskRuns.has(key)) chosen.add(key);
  return chosen;
}

function needsRerun(taskRun: TaskRun | undefined): boolean {
  if (taskRun?.state.kind !== 'ended') return false;
  const { result } = taskRun.state;
  return isFailed(result) || result === 'cancelled' || result === 'upstream_cancelled';
}

/** Of an active run: what is chosen, and all that depends on it, must not have begun or must have ended. */
function findLive({ taskRuns }: RepairedRun, graph: Graph, chosen: ReadonlySet<string>): string | null {
  const open = [...chosen].filter((key) => (taskRuns.get(key)?.state.kind ?? 'ended') !== 'ended');
  if (open.length > 0) return `${open.join(', ')}: has not ended`;
  const live = [...descendantsOf(graph, chosen)].filter((key) => {
    const kind = taskRuns.get(key)?.state.kind ?? 'ended';
    return kind !== 'ended' && kind !== 'blocked';
  });
  return live.length === 0 ? null : `${live.join(', ')}: depends on a task to run again and is under way`;
}

function decideActions(
  { taskRuns }: RepairedRun,
  graph: Graph,
  chosen: ReadonlySet<string>,
): { readonly key: string; readonly action: 'rerun' | 'reuse' | 'skip' }[] {
  /** What each task is expected to end as, when all that runs again succeeds. */
  const expected = new Map<string, EndedResult>();
  return graph.order.map((task) => {
    const taskRun = taskRuns.get(task.key);
    if (!chosen.has(task.key)) {
      expected.set(task.key, taskRun?.state.kind === 'ended' ? taskRun.state.result : 'succeeded');
      return { key: task.key, action: 'reuse' };
    }
    const decision = task.disabled ? 'disabled' : expectedDecision(task, taskRuns, chosen, expected);
    expected.set(task.key, decision === 'run' ? 'succeeded' : decision);
    return { key: task.key, action: decision === 'run' ? 'rerun' : 'skip' };
  });
}

function expectedDecision(
  task: TaskDefinition,
  taskRuns: Run['taskRuns'],
  chosen: ReadonlySet<string>,
  expected: ReadonlyMap<string, EndedResult>,
): 'run' | EndedResult {
  const results = task.dependsOn.map(({ key, outcome }): EndedResult => {
    const result = expected.get(key) ?? 'succeeded';
    // Which way a condition goes that is evaluated again is not known yet.
    if (outcome === null || chosen.has(key) || result !== 'succeeded') return result;
    return taskRuns.get(key)?.condition?.outcome === outcome ? result : 'excluded';
  });
  // A task that handles failure may be needed again: whether it is, the rerun will show.
  if (task.dependsOn.some(({ key }) => chosen.has(key)) && handlesFailure(task)) return 'run';
  return decideByRunIf(task.runIf, results);
}

function handlesFailure({ runIf }: TaskDefinition): boolean {
  return runIf === 'AT_LEAST_ONE_FAILED' || runIf === 'ALL_FAILED';
}

/** Not when what the iterations are made from may have changed: parameters, or a task before the for-each. */
function mayReuseIterations(request: RepairRequest, graph: Graph, chosen: ReadonlySet<string>): boolean {
  if (request.changesParameters) return false;
  const afterChosen = descendantsOf(graph, chosen);
  return ![...chosen].some((key) => graph.byKey.get(key)?.work.kind === 'for_each' && afterChosen.has(key));
}
