import type { RunDocument, RunTaskDocument } from '@headrace/api';
import { useQuery } from '@tanstack/react-query';
import { useParams, useSearchParams } from 'react-router';
import { causeOf, latestAttempts } from '../../api/merge-run-event.ts';
import { queries } from '../../api/queries.ts';
import { useRunEvents } from '../../api/use-run-events.ts';
import { paths } from '../../paths.ts';
import { formatClock } from '../../ui/format.ts';
import { useOutage } from '../../ui/outage-context.ts';
import { hasEnded, outcomeOf } from '../../ui/outcome.ts';
import { Missing, NotFound } from '../../ui/Problem.tsx';
import { Tabs } from '../../ui/Tabs.tsx';
import { useTitle } from '../../ui/use-title.ts';
import { generationsOf } from './generations.ts';
import { RunGraph } from './RunGraph.tsx';
import { RunHeader } from './RunHeader.tsx';
import { TaskPanel } from './TaskPanel.tsx';
import '../../styles/run.css';
import '../../styles/control-flow.css';

export function RunPage() {
  const runId = Number(useParams().runId);
  const run = useQuery({ ...queries.run(runId), enabled: Number.isSafeInteger(runId) });
  const isAway = useOutage() !== null;
  const isLive = run.data !== undefined && !hasEnded(run.data.state);
  const brokenSince = useRunEvents(runId, { isLive, isAway });
  useTitle(run.data ? `${outcomeOf(run.data.state).label}: ${run.data.run_name}` : `Run ${runId}`);
  if (!Number.isSafeInteger(runId)) return <NotFound what="run" />;
  if (!run.data) return <Missing error={run.error} what="run" />;
  return (
    <>
      {brokenSince !== null && !isAway && (
        <div role="alert" className="banner">
          <strong>
            The server answers, but this run cannot be followed. What you see is how it stood at{' '}
            {formatClock(brokenSince)}.
          </strong>{' '}
          This page tries again every second.
        </div>
      )}
      <RunHeader run={run.data} />
      <RunGenerations run={run.data} />
    </>
  );
}

/** The run as it is now, or as the original or an earlier repair left it. */
function RunGenerations({ run }: { run: RunDocument }) {
  const [search] = useSearchParams();
  const generations = generationsOf(run);
  const latest = generations[generations.length - 1];
  const shown = generations.find(({ key }) => key === (search.get('repair') ?? undefined)) ?? latest;
  if (!shown) return null;
  return (
    <>
      {generations.length > 1 && (
        <Tabs
          label="Original and repairs"
          selected={shown.label}
          tabs={generations.map(({ key, label, state }) => ({
            key: label,
            label: `${label}: ${outcomeOf(state).label}`,
            to: paths.run(run.run_id, { repair: key }),
          }))}
        />
      )}
      {shown !== latest && <p className="notice">This is how the run stood before it was repaired again.</p>}
      <RunTasks run={run} tasks={shown.tasks} repair={shown.key} />
    </>
  );
}

function RunTasks(props: {
  readonly run: RunDocument;
  readonly tasks: readonly RunTaskDocument[];
  readonly repair: string | undefined;
}) {
  const { run, tasks, repair } = props;
  const [search] = useSearchParams();
  const latest = latestAttempts(tasks);
  const wanted = search.get('task');
  const selected = latest.find((task) => isNamed(task, wanted)) ?? causeOf(tasks) ?? latest[0];
  return (
    <div className="run-body">
      <RunGraph
        tasks={latest}
        selectedKey={selected?.task_key ?? null}
        linkTo={(task: RunTaskDocument) => paths.run(run.run_id, { repair, task: task.task_key })}
      />
      {selected && (
        <TaskPanel run={run} attempts={tasks.filter((task) => task.task_key === selected.task_key)} />
      )}
    </div>
  );
}

/** By its own key; a for-each also by that of the task it repeats, as links to iterations name it. */
function isNamed({ task_key, for_each_task }: RunTaskDocument, key: string | null): boolean {
  return key !== null && (task_key === key || for_each_task?.task.task_key === key);
}
