/** The tasks of a run as a graph. Each node is a link: keyboard, middle click and the URL work as everywhere. */
import type { RunTaskDocument } from '@headrace/api';
import { useLayoutEffect, useMemo, useRef } from 'react';
import { Link } from 'react-router';
import { useSilentWorkers } from '../../api/use-silent-workers.ts';
import { paths } from '../../paths.ts';
import { Elapsed } from '../../ui/Moment.tsx';
import { hasEnded, outcomeOf } from '../../ui/outcome.ts';
import type { SilentWorkers } from '../../ui/worker-text.ts';
import { type LayoutEdge, layOut, nodeHeight, nodeWidth } from './graph-layout.ts';
import { markOf } from './work-text.ts';

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
  const outcomes = new Map(tasks.map((task) => [task.task_key, task.condition_task?.outcome]));
  const silent = useSilentWorkers(tasks);
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
          <Edge key={`${edge.from} ${edge.to}`} edge={edge} outcome={outcomes.get(edge.from)} />
        ))}
        {tasks.map((task) => {
          const at = layout.nodes.get(task.task_key);
          if (!at) return null;
          return (
            <foreignObject key={task.task_key} x={at.x} y={at.y} width={nodeWidth} height={nodeHeight}>
              <TaskNode
                task={task}
                isSelected={task.task_key === selectedKey}
                isSilent={isOnSilent(task, silent)}
                to={linkTo(task)}
              />
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

/** A branch carries its word; one that was not taken is dashed. */
function Edge({ edge, outcome }: { edge: LayoutEdge; outcome: string | undefined }) {
  const { branch, path } = edge;
  if (branch === null) return <path d={path} className="edge" />;
  const isOff = outcome !== undefined && outcome !== branch.outcome;
  const words = isOff
    ? `Not taken: ${edge.from} came out ${outcome}`
    : `If ${edge.from} comes out ${branch.outcome}`;
  return (
    <g>
      <title>{words}</title>
      <path d={path} className={isOff ? 'edge edge-off' : 'edge'} />
      <text x={branch.x} y={branch.y} className="edge-branch">
        {branch.outcome}
      </text>
    </g>
  );
}

function isOnSilent({ headrace, state }: RunTaskDocument, silent: SilentWorkers): boolean {
  return headrace?.worker !== undefined && silent.has(headrace.worker.worker_id) && !hasEnded(state);
}

function TaskNode(props: {
  readonly task: RunTaskDocument;
  readonly isSelected: boolean;
  /** Its worker is not heard of: whether it still does what the label says is not known. */
  readonly isSilent: boolean;
  readonly to: string;
}) {
  const { task, isSelected, isSilent, to } = props;
  const outcome = outcomeOf(task.state);
  const label = isSilent ? 'Worker silent' : outcome.label;
  const sign = isSilent ? '!' : outcome.sign;
  const tone = isSilent ? 'warn' : outcome.tone;
  const mark = markOf(task);
  const child = task.run_job_task?.run_id;
  return (
    <div className={`node-box tone-${tone}`}>
      <Link
        to={to}
        className="node"
        aria-current={isSelected ? 'true' : undefined}
        aria-label={[`${task.task_key}: ${label}`, mark?.kind, mark?.text].filter(Boolean).join(', ')}
      >
        <span className="node-sign" aria-hidden="true">
          {sign}
        </span>
        <span className="node-text">
          <span className="node-name">
            <strong title={task.task_key}>{task.task_key}</strong>
            {mark && (
              <span className="node-kind" title={mark.kind}>
                {mark.sign}
              </span>
            )}
          </span>
          {mark?.text ? <small title={mark.text}>{mark.text}</small> : <Course task={task} label={label} />}
        </span>
      </Link>
      {child !== undefined && (
        <Link
          to={paths.run(child)}
          className="node-child"
          aria-label={`Run ${child}, started by ${task.task_key}`}
          title={`Go to run ${child}`}
        >
          <span aria-hidden="true">↗</span>
        </Link>
      )}
    </div>
  );
}

function Course({ task, label }: { task: RunTaskDocument; label: string }) {
  return (
    <small className="node-course" title={label}>
      <span className="node-label">{label}</span>
      {task.start_time > 0 && task.start_time !== task.end_time && (
        <span className="node-elapsed">
          <span aria-hidden="true">·</span>{' '}
          <Elapsed startMs={task.start_time} endMs={task.end_time} isShort />
        </span>
      )}
    </small>
  );
}
