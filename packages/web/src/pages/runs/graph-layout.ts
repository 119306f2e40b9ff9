/** Where each task of a run stands: layers from left to right, by dagre. Pure, so that it can be tested and kept. */
import dagre from '@dagrejs/dagre';

/** Six layers fit a window of 1,280 pixels. */
export const nodeWidth = 168;
export const nodeHeight = 52;

export interface GraphTask {
  readonly task_key: string;
  readonly depends_on?:
    | readonly { readonly task_key: string; readonly outcome?: string | undefined }[]
    | undefined;
}

export interface Layout {
  readonly width: number;
  readonly height: number;
  /** Top left corner, by task key. */
  readonly nodes: ReadonlyMap<string, { readonly x: number; readonly y: number }>;
  readonly edges: readonly LayoutEdge[];
}

export interface LayoutEdge {
  readonly from: string;
  readonly to: string;
  readonly path: string;
  /** The branch of a condition that leads here, and where to write it. */
  readonly branch: { readonly outcome: 'true' | 'false'; readonly x: number; readonly y: number } | null;
}

export function layOut(tasks: readonly GraphTask[]): Layout {
  const graph = new dagre.graphlib.Graph();
  const branches = findBranches(tasks);
  const ranksep = branches.size > 0 ? branchGap : 34;
  graph.setGraph({ rankdir: 'LR', nodesep: 18, ranksep, marginx: 8, marginy: 8 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const { task_key } of tasks) graph.setNode(task_key, { width: nodeWidth, height: nodeHeight });
  for (const [key, parents] of parentsToDraw(tasks, branches)) {
    for (const parent of parents) graph.setEdge(parent, key);
  }
  dagre.layout(graph);
  const { width = 0, height = 0 } = graph.graph();
  return {
    width,
    height,
    nodes: new Map(
      graph.nodes().map((key: string) => {
        const { x, y } = graph.node(key);
        return [key, { x: x - nodeWidth / 2, y: y - nodeHeight / 2 }];
      }),
    ),
    edges: graph.edges().map(({ v, w }: { v: string; w: string }) => ({
      from: v,
      to: w,
      path: curve(graph.node(v), graph.node(w)),
      branch: placeBranch(branches.get(`${v} ${w}`), graph.node(v), graph.node(w)),
    })),
  };
}

/** Room for a word between two layers. */
const branchGap = 58;

/** By `parent child`: keys have no spaces. */
function findBranches(tasks: readonly GraphTask[]): ReadonlyMap<string, 'true' | 'false'> {
  return new Map(
    tasks.flatMap(({ task_key, depends_on = [] }) =>
      depends_on.flatMap(({ task_key: parent, outcome }) =>
        outcome === 'true' || outcome === 'false' ? [[`${parent} ${task_key}`, outcome] as const] : [],
      ),
    ),
  );
}

/** Nearer to the child: the branches of one condition begin at the same place. */
function placeBranch(outcome: 'true' | 'false' | undefined, from: Point, to: Point): LayoutEdge['branch'] {
  if (outcome === undefined) return null;
  const end = to.x - nodeWidth / 2;
  return { outcome, x: end - branchGap * 0.4, y: from.y + (to.y - from.y) * 0.8 };
}

/**
 * Without those that another parent depends on anyway: a task that waits for all others would cover the graph with
 * lines that say nothing new. A branch always says something.
 */
function parentsToDraw(
  tasks: readonly GraphTask[],
  branches: ReadonlyMap<string, unknown>,
): ReadonlyMap<string, readonly string[]> {
  const known = new Set(tasks.map((task) => task.task_key));
  const parents = new Map(
    tasks.map(({ task_key, depends_on = [] }) => [
      task_key,
      depends_on.map((parent) => parent.task_key).filter((key) => known.has(key)),
    ]),
  );
  const ancestors = new Map<string, ReadonlySet<string>>();
  const findAncestors = (key: string): ReadonlySet<string> => {
    const found = ancestors.get(key);
    if (found) return found;
    const all = new Set<string>();
    // Known before it is complete: a circle, which no valid job has, ends here too.
    ancestors.set(key, all);
    for (const parent of parents.get(key) ?? []) {
      all.add(parent);
      for (const above of findAncestors(parent)) all.add(above);
    }
    return all;
  };
  return new Map(
    [...parents].map(([key, all]) => [
      key,
      all.filter(
        (parent) =>
          branches.has(`${parent} ${key}`) ||
          !all.some((other) => other !== parent && findAncestors(other).has(parent)),
      ),
    ]),
  );
}

interface Point {
  readonly x: number;
  readonly y: number;
}

/** From the right side of one node to the left side of another. */
function curve(from: Point, to: Point): string {
  const start = from.x + nodeWidth / 2;
  const end = to.x - nodeWidth / 2;
  const middle = (start + end) / 2;
  return `M ${start} ${from.y} C ${middle} ${from.y}, ${middle} ${to.y}, ${end} ${to.y}`;
}
