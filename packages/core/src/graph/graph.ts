/** The shape of a definition, worked out once: order, children, leaves. Definitions are frozen, so this is kept by identity. */
import type { RunDefinition, TaskDefinition } from '../run/state.ts';

export interface Graph {
  /** Parents before children. */
  readonly order: readonly TaskDefinition[];
  /** Tasks of the job itself. */
  readonly byKey: ReadonlyMap<string, TaskDefinition>;
  /** One entry for each edge: a child that depends on both branches of a condition stands twice. */
  readonly children: ReadonlyMap<string, readonly string[]>;
  /** Tasks that nothing depends on: they decide how a run ends. */
  readonly leaves: readonly string[];
  /** What a for-each repeats, by the nested task's key. */
  readonly nested: ReadonlyMap<string, NestedTask>;
}

export interface NestedTask {
  readonly outerKey: string;
  readonly task: TaskDefinition;
}

const known = new WeakMap<RunDefinition, Graph>();

export function graphOf(definition: RunDefinition): Graph {
  const seen = known.get(definition);
  if (seen) return seen;
  const graph = buildGraph(definition.tasks);
  known.set(definition, graph);
  return graph;
}

/** Of a task of the job or of what a for-each repeats; null when the definition does not have it (any more). */
export function findDefinition(graph: Graph, taskKey: string): TaskDefinition | null {
  return graph.byKey.get(taskKey) ?? graph.nested.get(taskKey)?.task ?? null;
}

/** All that depends on these tasks, directly or not; without themselves unless they depend on each other. */
export function descendantsOf(graph: Graph, keys: Iterable<string>): Set<string> {
  const found = new Set<string>();
  const toVisit = [...keys];
  for (let key = toVisit.pop(); key !== undefined; key = toVisit.pop()) {
    for (const child of graph.children.get(key) ?? []) {
      if (found.has(child)) continue;
      found.add(child);
      toVisit.push(child);
    }
  }
  return found;
}

/** Kahn's algorithm. Throws on a graph that `findGraphProblems` refuses: such a definition must not get this far. */
function buildGraph(tasks: readonly TaskDefinition[]): Graph {
  const children = new Map<string, string[]>(tasks.map((task) => [task.key, []]));
  const waitsFor = new Map(tasks.map((task) => [task.key, task.dependsOn.length]));
  for (const task of tasks) {
    for (const parent of task.dependsOn) children.get(parent.key)?.push(task.key);
  }

  const byKey = new Map(tasks.map((task) => [task.key, task]));
  const order = tasks.filter((task) => task.dependsOn.length === 0);
  for (let next = 0; next < order.length; next++) {
    const parent = order[next];
    if (!parent) break;
    for (const key of children.get(parent.key) ?? []) {
      const open = (waitsFor.get(key) ?? 0) - 1;
      waitsFor.set(key, open);
      const child = byKey.get(key);
      if (open === 0 && child) order.push(child);
    }
  }
  if (order.length !== tasks.length)
    throw new Error('the graph has a cycle, an unknown or a duplicate task key');
  return {
    order,
    byKey,
    children,
    leaves: tasks.filter((task) => children.get(task.key)?.length === 0).map((task) => task.key),
    nested: nestedTasks(tasks),
  };
}

function nestedTasks(tasks: readonly TaskDefinition[]): Map<string, NestedTask> {
  const nested = new Map<string, NestedTask>();
  for (const { key, work } of tasks) {
    if (work.kind === 'for_each') nested.set(work.task.key, { outerKey: key, task: work.task });
  }
  return nested;
}
