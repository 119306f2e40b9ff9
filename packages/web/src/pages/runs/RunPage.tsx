import type { RunDocument, RunTaskDocument } from '@headrace/api';
import { useMutation, useQuery } from '@tanstack/react-query';
import { Link, useParams, useSearchParams } from 'react-router';
import { client } from '../../api/client.ts';
import { causeOf, latestAttempts } from '../../api/merge-run-event.ts';
import { queries } from '../../api/queries.ts';
import { useRunEvents } from '../../api/use-run-events.ts';
import { paths } from '../../paths.ts';
import { ActionButton } from '../../ui/ActionButton.tsx';
import { Fact } from '../../ui/Fact.tsx';
import { Ago, Elapsed } from '../../ui/Moment.tsx';
import { hasEnded, outcomeOf, refusalToCancel } from '../../ui/outcome.ts';
import { Missing, NotFound } from '../../ui/Problem.tsx';
import { StateBadge } from '../../ui/StateBadge.tsx';
import { useTitle } from '../../ui/use-title.ts';
import { RunGraph } from './RunGraph.tsx';
import { TaskPanel } from './TaskPanel.tsx';
import '../../styles/run.css';

export function RunPage() {
  const runId = Number(useParams().runId);
  const run = useQuery({ ...queries.run(runId), enabled: Number.isSafeInteger(runId) });
  const live = useRunEvents(runId, run.data !== undefined && !hasEnded(run.data.state));
  useTitle(run.data ? `${outcomeOf(run.data.state).label}: ${run.data.run_name}` : `Run ${runId}`);
  if (!Number.isSafeInteger(runId)) return <NotFound what="run" />;
  if (!run.data) return <Missing error={run.error} what="run" />;
  return (
    <>
      {live === 'broken' && (
        <div role="alert" className="banner">
          The live connection broke; what you see may be old. It is being opened again.
        </div>
      )}
      <RunHeader run={run.data} />
      <RunTasks run={run.data} />
    </>
  );
}

function RunHeader({ run }: { run: RunDocument }) {
  // While it runs, the message only says that it does.
  const message = run.state.life_cycle_state === 'RUNNING' ? '' : run.state.state_message;
  return (
    <section aria-label="Run" className="run-header">
      <div className="run-title">
        <h1>{run.job_id ? <Link to={paths.job(run.job_id)}>{run.run_name}</Link> : run.run_name}</h1>
        <StateBadge state={run.state} />
        <CancelButton run={run} />
      </div>
      <dl className="facts">
        <Fact name="Run id">{run.run_id}</Fact>
        <Fact name="Started">
          <Ago epochMs={run.start_time} />
        </Fact>
        <Fact name="Duration">
          <Elapsed startMs={run.start_time} endMs={run.end_time} />
        </Fact>
        <Fact name="Started by">{run.creator_user_name}</Fact>
        {(run.job_parameters ?? []).map(({ name, value, default: fallback }) => (
          <Fact key={name} name={name}>
            <code>{value ?? fallback ?? ''}</code>
          </Fact>
        ))}
      </dl>
      {message && <p className={outcomeOf(run.state).tone === 'bad' ? 'problem' : 'dim'}>{message}</p>}
    </section>
  );
}

function CancelButton({ run }: { run: RunDocument }) {
  const cancel = useMutation({ mutationFn: () => client.runsCancel({ run_id: run.run_id }) });
  const ask = () =>
    window.confirm('Cancel this run? Its tasks are stopped; nothing further starts.') && cancel.mutate();
  return (
    <span className="actions">
      {cancel.error && (
        <span role="alert" className="inline-problem">
          {cancel.error.message}
        </span>
      )}
      <ActionButton
        refusal={cancel.isPending ? 'The server is being asked' : refusalToCancel(run.state)}
        onClick={ask}
      >
        Cancel run
      </ActionButton>
    </span>
  );
}

function RunTasks({ run }: { run: RunDocument }) {
  const [search] = useSearchParams();
  const tasks = run.tasks ?? [];
  const latest = latestAttempts(tasks);
  const wanted = search.get('task');
  const selected = latest.find((task) => task.task_key === wanted) ?? causeOf(tasks) ?? latest[0];
  return (
    <div className="run-body">
      <RunGraph
        tasks={latest}
        selectedKey={selected?.task_key ?? null}
        linkTo={(task: RunTaskDocument) => paths.run(run.run_id, { task: task.task_key })}
      />
      {selected && (
        <TaskPanel run={run} attempts={tasks.filter((task) => task.task_key === selected.task_key)} />
      )}
    </div>
  );
}
