/** Where each task of a run stands: layers from left to right, by dagre. Pure, so that it can be tested and kept. */
import dagre from '@dagrejs/dagre';

export const nodeWidth = 190;
export const nodeHeight = 52;

export interface GraphTask {
  readonly task_key: string;
  readonly depends_on?: readonly { readonly task_key: string }[] | undefined;
}

export interface Layout {
  readonly width: number;
  readonly height: number;
  /** Top left corner, by task key. */
  readonly nodes: ReadonlyMap<string, { readonly x: number; readonly y: number }>;
  readonly edges: readonly { readonly from: string; readonly to: string; readonly path: string }[];
}

export function layOut(tasks: readonly GraphTask[]): Layout {
  const graph = new dagre.graphlib.Graph();
  graph.setGraph({ rankdir: 'LR', nodesep: 18, ranksep: 56, marginx: 8, marginy: 8 });
  graph.setDefaultEdgeLabel(() => ({}));
  const known = new Set(tasks.map((task) => task.task_key));
  for (const { task_key } of tasks) graph.setNode(task_key, { width: nodeWidth, height: nodeHeight });
  for (const { task_key, depends_on = [] } of tasks) {
    for (const parent of depends_on) if (known.has(parent.task_key)) graph.setEdge(parent.task_key, task_key);
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
    })),
  };
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
