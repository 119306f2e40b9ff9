/** The tasks of a run as a graph. Each node is a link: keyboard, middle click and the URL work as everywhere. */
import type { RunTaskDocument } from '@headrace/api';
import { useLayoutEffect, useMemo, useRef } from 'react';
import { Link } from 'react-router';
import { Elapsed } from '../../ui/Moment.tsx';
import { outcomeOf } from '../../ui/outcome.ts';
import { layOut, nodeHeight, nodeWidth } from './graph-layout.ts';

export function RunGraph(props: {
  tasks: readonly RunTaskDocument[];
  selectedKey: string | null;
  linkTo: (task: RunTaskDocument) => string;
}) {
  const { tasks, selectedKey, linkTo } = props;
  // The shape does not change while a run lives: lay it out again only when a key or an edge differs.
  const shape = JSON.stringify(tasks.map(({ task_key, depends_on }) => [task_key, depends_on]));
  // biome-ignore lint/correctness/useExhaustiveDependencies: `shape` stands for the part of `tasks` that matters here.
  const layout = useMemo(() => layOut(tasks), [shape]);
  const box = useRef<HTMLElement>(null);
  const place = selectedKey === null ? undefined : layout.nodes.get(selectedKey);
  // Only the box scrolls: the reader may be further down the page.
  useLayoutEffect(() => {
    if (box.current && place) scrollTo(box.current, place);
  }, [place]);
  return (
    <section ref={box} aria-label="Task graph" className="graph">
      <svg width={layout.width} height={layout.height}>
        <title>Tasks and their dependencies</title>
        {layout.edges.map((edge) => (
          <path key={`${edge.from} ${edge.to}`} d={edge.path} className="edge" />
        ))}
        {tasks.map((task) => {
          const at = layout.nodes.get(task.task_key);
          if (!at) return null;
          return (
            <foreignObject key={task.task_key} x={at.x} y={at.y} width={nodeWidth} height={nodeHeight}>
              <TaskNode task={task} isSelected={task.task_key === selectedKey} to={linkTo(task)} />
            </foreignObject>
          );
        })}
      </svg>
    </section>
  );
}

/** As little as it takes to see the whole node. */
function scrollTo(box: HTMLElement, { x, y }: { readonly x: number; readonly y: number }): void {
  const { scrollLeft, scrollTop, clientWidth, clientHeight } = box;
  const left = Math.max(Math.min(scrollLeft, x), x + nodeWidth + marginPixels - clientWidth);
  const top = Math.max(Math.min(scrollTop, y), y + nodeHeight + marginPixels - clientHeight);
  box.scrollTo({ left, top });
}

/** The box's own padding, twice. */
const marginPixels = 32;

function TaskNode({ task, isSelected, to }: { task: RunTaskDocument; isSelected: boolean; to: string }) {
  const { label, sign, tone } = outcomeOf(task.state);
  return (
    <Link
      to={to}
      className={`node tone-${tone}`}
      aria-current={isSelected ? 'true' : undefined}
      aria-label={`${task.task_key}: ${label}`}
    >
      <span className="node-sign" aria-hidden="true">
        {sign}
      </span>
      <span className="node-text">
        <strong title={task.task_key}>{task.task_key}</strong>
        <small>
          {label}
          {task.start_time > 0 && task.start_time !== task.end_time && (
            <>
              {' · '}
              <Elapsed startMs={task.start_time} endMs={task.end_time} />
            </>
          )}
        </small>
      </span>
    </Link>
  );
}
