/** The tasks of a run as a graph. Each node is a link: keyboard, middle click and the URL work as everywhere. */
import type { RunTaskDocument } from '@headrace/api';
import { useMemo } from 'react';
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
  return (
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
  );
}

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
        <strong>{task.task_key}</strong>
        <small>
          {label}
          {task.start_time > 0 && (
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
