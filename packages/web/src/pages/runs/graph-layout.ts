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
    edges: graph.edges().map(({ v, w }: { v: string; w: string }) => {
      const stops = stopsOf(graph.node(v), graph.node(w), graph.edge({ v, w }).points ?? []);
      return { from: v, to: w, path: curve(stops), branch: placeBranch(branches.get(`${v} ${w}`), stops) };
    }),
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
function placeBranch(outcome: 'true' | 'false' | undefined, stops: readonly Point[]): LayoutEdge['branch'] {
  const end = stops.at(-1);
  const before = stops.at(-2);
  if (outcome === undefined || !end || !before) return null;
  return { outcome, x: end.x - branchGap * 0.4, y: before.y + (end.y - before.y) * 0.8 };
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

/**
 * From the right side of one node to the left side of another. An edge that passes other layers goes where the layout
 * has left room between their nodes: otherwise it would seem to come out of a node that it only passes.
 */
function stopsOf(from: Point, to: Point, points: readonly Point[]): Point[] {
  const start = { x: from.x + nodeWidth / 2, y: from.y };
  const end = { x: to.x - nodeWidth / 2, y: to.y };
  // The first and the last are on the nodes' borders; between neighbouring layers there is one more, in the gap.
  const passed = points.length > 3 ? points.slice(1, -1).filter(({ x }) => x > start.x && x < end.x) : [];
  return [start, ...passed, end];
}

function curve(stops: readonly Point[]): string {
  return stops
    .map(({ x, y }, at) => {
      const last = stops[at - 1];
      if (!last) return `M ${x} ${y}`;
      const middle = (last.x + x) / 2;
      return `C ${middle} ${last.y}, ${middle} ${y}, ${x} ${y}`;
    })
    .join(' ');
}
