/** `only` of run-now: which tasks of a job a run has. `a` is one task, `+a` and all upstream, `a+` and all downstream. */
import type { Task } from '@headrace/api';

export type SelectedTasks = { readonly tasks: readonly Task[] } | { readonly problem: string };

/** Edges to tasks that are left out are left out too: what is chosen does not wait for what is not there. */
export function selectTasks(tasks: readonly Task[], only: readonly string[]): SelectedTasks {
  if (only.length === 0) return { tasks };
  const keys = new Set(tasks.map((task) => task.task_key));
  const selectors = only.map(parseSelector);
  const unknown = selectors.find(({ key }) => !keys.has(key));
  if (unknown) return { problem: describeUnknown(tasks, unknown.key) };
  const parents = new Map(
    tasks.map((task) => [task.task_key, (task.depends_on ?? []).map((parent) => parent.task_key)]),
  );
  const keysOf = (wanted: (selector: Selector) => boolean) => selectors.filter(wanted).map(({ key }) => key);
  const chosen = new Set([
    ...keysOf(() => true),
    ...reach(
      keysOf(({ hasUpstream }) => hasUpstream),
      parents,
    ),
    ...reach(
      keysOf(({ hasDownstream }) => hasDownstream),
      invert(parents),
    ),
  ]);
  return {
    tasks: tasks.filter((task) => chosen.has(task.task_key)).map((task) => withoutEdges(task, chosen)),
  };
}

function withoutEdges(task: Task, chosen: ReadonlySet<string>): Task {
  if (!task.depends_on) return task;
  return { ...task, depends_on: task.depends_on.filter((parent) => chosen.has(parent.task_key)) };
}

interface Selector {
  readonly key: string;
  readonly hasUpstream: boolean;
  readonly hasDownstream: boolean;
}

/** No task key holds a '+'. */
function parseSelector(text: string): Selector {
  return {
    key: text.replace(/^\+/, '').replace(/\+$/, ''),
    hasUpstream: text.startsWith('+'),
    hasDownstream: text.endsWith('+'),
  };
}

function describeUnknown(tasks: readonly Task[], key: string): string {
  const outer = tasks.find((task) => task.for_each_task?.task.task_key === key);
  return outer
    ? `task '${key}' is what '${outer.task_key}' runs for each input; choose '${outer.task_key}'`
    : `task '${key}' is not a task of this job`;
}

/** What can be reached from `starts`, themselves included; each key once, so any graph ends. */
function reach(starts: readonly string[], edges: ReadonlyMap<string, readonly string[]>): Set<string> {
  const reached = new Set(starts);
  // A set that grows while it is walked: new keys come at its end.
  for (const key of reached) for (const next of edges.get(key) ?? []) reached.add(next);
  return reached;
}

function invert(edges: ReadonlyMap<string, readonly string[]>): Map<string, string[]> {
  const inverted = new Map<string, string[]>([...edges.keys()].map((key) => [key, []]));
  for (const [key, targets] of edges) for (const target of targets) inverted.get(target)?.push(key);
  return inverted;
}
