/** The head of a run's page: what it is, who started it, what can be done with it. */
import type { RunDocument } from '@headrace/api';
import { useQuery } from '@tanstack/react-query';
import { Link } from 'react-router';
import { queries } from '../../api/queries.ts';
import { paths } from '../../paths.ts';
import { Fact } from '../../ui/Fact.tsx';
import { Ago, Elapsed } from '../../ui/Moment.tsx';
import { outcomeOf } from '../../ui/outcome.ts';
import { StateBadge } from '../../ui/StateBadge.tsx';
import { RunActions } from './RunActions.tsx';
import { Why } from './Why.tsx';

export function RunHeader({ run }: { run: RunDocument }) {
  // While it runs, the message only says that it does; while it waits, the reason says more.
  const isTold = ['RUNNING', 'QUEUED', 'PENDING'].includes(run.state.life_cycle_state);
  const message = isTold ? '' : run.state.state_message;
  return (
    <section aria-label="Run" className="run-header">
      <div className="run-title">
        <h1>{run.job_id ? <Link to={paths.job(run.job_id)}>{run.run_name}</Link> : run.run_name}</h1>
        <StateBadge state={run.state} />
        <RunActions run={run} />
      </div>
      <dl className="facts">
        <Fact name="Run id">{run.run_id}</Fact>
        <Fact name="Started">
          <Ago epochMs={run.start_time} />
        </Fact>
        <Fact name="Duration">
          <Elapsed startMs={run.start_time} endMs={run.end_time} />
        </Fact>
        <Fact name="Started by">
          {run.trigger_info?.run_id ? <Parent taskRunId={run.trigger_info.run_id} /> : run.creator_user_name}
        </Fact>
        {(run.job_parameters ?? []).map(({ name, value, default: fallback }) => (
          <Fact key={name} name={name}>
            <code>{value ?? fallback ?? ''}</code>
          </Fact>
        ))}
      </dl>
      <Why runId={run.run_id} state={run.state} />
      {message && <p className={outcomeOf(run.state).tone === 'bad' ? 'problem' : 'dim'}>{message}</p>}
    </section>
  );
}

/** The task of another run that started this one. */
function Parent({ taskRunId }: { taskRunId: number }) {
  const task = useQuery(queries.taskRun(taskRunId));
  if (!task.data) return <>task run {taskRunId}</>;
  const { run_name: key, job_run_id: runId } = task.data;
  if (runId === undefined) return <>task {key}</>;
  return (
    <Link to={paths.run(runId, { task: key })}>
      task {key} of run {runId}
    </Link>
  );
}
