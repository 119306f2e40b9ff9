import type { RunDocument, RunTaskDocument } from '@headrace/api';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearchParams } from 'react-router';
import { queries } from '../../api/queries.ts';
import { paths, type RunView } from '../../paths.ts';
import { Elapsed } from '../../ui/Moment.tsx';
import { hasEnded, outcomeOf } from '../../ui/outcome.ts';
import { StateBadge } from '../../ui/StateBadge.tsx';
import { Tabs } from '../../ui/Tabs.tsx';
import { LogView } from './LogView.tsx';
import { NotebookView } from './NotebookView.tsx';

const tabKeys = ['output', 'log', 'settings'] as const;

/** One task: its latest attempt, or an earlier one when chosen. */
export function TaskPanel({ run, attempts }: { run: RunDocument; attempts: readonly RunTaskDocument[] }) {
  const [search] = useSearchParams();
  const sorted = [...attempts].sort((a, b) => a.attempt_number - b.attempt_number);
  const navigate = useNavigate();
  const chosen = Number(search.get('attempt') ?? Number.NaN);
  const task = sorted.find((each) => each.attempt_number === chosen) ?? sorted[sorted.length - 1];
  if (!task) return null;
  const isNotebook = task.notebook_task !== undefined;
  const tab = tabKeys.find((key) => key === search.get('tab')) ?? (isNotebook ? 'output' : 'log');
  const shown = tab === 'output' && !isNotebook ? 'log' : tab;
  const pathOf = (view: RunView) =>
    paths.run(run.run_id, {
      task: task.task_key,
      tab: search.has('tab') ? tab : undefined,
      attempt: search.has('attempt') ? task.attempt_number : undefined,
      ...view,
    });
  return (
    <section aria-label={`Task ${task.task_key}`} className="panel">
      <header className="panel-header">
        <h2>{task.task_key}</h2>
        <StateBadge state={task.state} />
        <span className="dim">
          <Elapsed startMs={task.start_time} endMs={task.end_time} />
        </span>
        {sorted.length > 1 && (
          <label className="attempts">
            Attempt
            <select
              value={task.attempt_number}
              onChange={(event) => navigate(pathOf({ attempt: Number(event.target.value) }))}
            >
              {sorted.map((each) => (
                <option key={each.run_id} value={each.attempt_number}>
                  {each.attempt_number + 1} of {sorted.length}: {outcomeOf(each.state).label}
                </option>
              ))}
            </select>
          </label>
        )}
      </header>
      <Failure task={task} />
      <Tabs
        label="Of this task"
        selected={shown}
        tabs={tabKeys
          .filter((key) => key !== 'output' || isNotebook)
          .map((key) => ({
            key,
            label: tabLabels[key],
            to: pathOf({ tab: key }),
          }))}
      />
      {shown === 'output' && <NotebookView runId={run.run_id} task={task} />}
      {shown === 'log' && <LogView key={task.run_id} runId={run.run_id} task={task} />}
      {shown === 'settings' && <pre className="code">{JSON.stringify(settingsOf(task), null, 2)}</pre>}
    </section>
  );
}

const tabLabels = { output: 'Notebook', log: 'Log', settings: 'Settings' } as const;

/** The exception first: it is what people came for. */
function Failure({ task }: { task: RunTaskDocument }) {
  const isBad = hasEnded(task.state) && ['FAILED', 'TIMEDOUT'].includes(task.state.result_state ?? '');
  const output = useQuery({ ...queries.output(task.run_id, { refresh: false }), enabled: isBad });
  if (!isBad) return null;
  const message = output.data?.error ?? task.state.state_message;
  return (
    <div className="problem" role="alert">
      <strong>{message}</strong>
      {output.data?.error_trace && (
        <details>
          <summary>Traceback</summary>
          <pre>{output.data.error_trace}</pre>
        </details>
      )}
    </div>
  );
}

/** What the job says of the task, without what the run says of it. */
function settingsOf(task: RunTaskDocument): Record<string, unknown> {
  const ofTheRun = new Set([
    'state',
    'status',
    'run_id',
    'run_page_url',
    'cluster_instance',
    'attempt_number',
  ]);
  return Object.fromEntries(
    Object.entries(task).filter(([name]) => !ofTheRun.has(name) && !/_(time|duration)$/.test(name)),
  );
}
