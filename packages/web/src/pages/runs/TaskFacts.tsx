/** What a task is and has come to: what it asks of its worker, its condition, its iterations, the run that it started. */
import type { RunTaskDocument } from '@headrace/api';
import { useQuery } from '@tanstack/react-query';
import { Link } from 'react-router';
import { queries } from '../../api/queries.ts';
import { useSilentWorkers } from '../../api/use-silent-workers.ts';
import { paths } from '../../paths.ts';
import { Fact } from '../../ui/Fact.tsx';
import { hasEnded } from '../../ui/outcome.ts';
import { silenceText, workerText } from '../../ui/worker-text.ts';
import { askedLabelsText, conditionText, isGuarded, progressOf, warehouseText } from './work-text.ts';

export function TaskFacts({ task }: { task: RunTaskDocument }) {
  const condition = conditionText(task);
  const labels = askedLabelsText(task);
  const isPlain = condition === null && labels === null && task.headrace?.worker === undefined;
  const warehouse = warehouseText(task);
  if (isPlain && warehouse === null && !task.for_each_task && !task.run_job_task) return null;
  const outcome = task.condition_task?.outcome;
  return (
    <>
      <dl className="facts">
        <WorkerFact task={task} />
        <HostFact task={task} />
        {warehouse !== null && <Fact name="Warehouse">{warehouse}</Fact>}
        {task.sql_task?.alert && <Fact name="Alert">{task.sql_task.alert.alert_id}</Fact>}
        {labels !== null && <Fact name="Only on workers with">{labels}</Fact>}
        {condition !== null && (
          <>
            <Fact name={isGuarded(task) ? 'Guarded: runs only if' : 'Condition'}>
              <code>{condition}</code>
            </Fact>
            <Fact name="Came out">{outcome ?? 'not evaluated yet'}</Fact>
          </>
        )}
        {task.for_each_task && <ForEachFacts task={task} />}
        {task.run_job_task && <ChildFacts task={task} />}
      </dl>
      <Messages task={task} />
    </>
  );
}

function WorkerFact({ task }: { task: RunTaskDocument }) {
  const silent = useSilentWorkers([task]);
  const worker = task.headrace?.worker;
  if (worker === undefined) return null;
  const heardMsAgo = hasEnded(task.state) ? undefined : silent.get(worker.worker_id);
  return (
    <Fact name="Worker">
      {workerText(worker)}
      {heardMsAgo !== undefined && <strong className="silent"> {silenceText(heardMsAgo)}</strong>}
    </Fact>
  );
}

/** What its host says of itself, while the task is there. */
function HostFact({ task }: { task: RunTaskDocument }) {
  const workerId = task.headrace?.worker?.worker_id;
  const isThere = workerId !== undefined && !hasEnded(task.state);
  const { data } = useQuery(queries.workers({ enabled: isThere }));
  const message = (data?.hosts ?? []).find(
    ({ cluster_id, worker_id }) => cluster_id === task.cluster_instance?.cluster_id && worker_id === workerId,
  )?.message;
  return isThere && message ? <Fact name="Host">{message}</Fact> : null;
}

function ForEachFacts({ task }: { task: RunTaskDocument }) {
  const progress = progressOf(task);
  return (
    <>
      <Fact name="Iterations">
        {progress === null ? (
          'not begun yet'
        ) : (
          <span className="progress">
            <progress value={progress.done} max={Math.max(1, progress.total)} aria-label="Iterations done" />{' '}
            {progress.text}
          </span>
        )}
      </Fact>
      <Fact name="At a time">{task.for_each_task?.concurrency ?? 1}</Fact>
    </>
  );
}

function ChildFacts({ task }: { task: RunTaskDocument }) {
  const { job_id, run_id } = task.run_job_task ?? {};
  return (
    <>
      <Fact name="Runs the job">{job_id ? <Link to={paths.job(job_id)}>{job_id}</Link> : '–'}</Fact>
      <Fact name="Its run">
        {run_id ? <Link to={paths.run(run_id)}>run {run_id}</Link> : 'none was started'}
      </Fact>
    </>
  );
}

/** What failed iterations said. One message alone is that of the task. */
function Messages({ task }: { task: RunTaskDocument }) {
  const messages = task.for_each_task?.stats?.error_message_stats ?? [];
  if (messages.length < 2) return null;
  return (
    <ul className="messages" aria-label="What failed iterations said">
      {messages.map(({ error_message, count }) => (
        <li key={error_message}>
          <strong>{count} ×</strong> {error_message}
        </li>
      ))}
    </ul>
  );
}
