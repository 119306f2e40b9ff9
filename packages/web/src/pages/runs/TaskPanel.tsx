import type { RunDocument, RunTaskDocument } from '@headrace/api';
import { useNavigate, useSearchParams } from 'react-router';
import { paths, type RunView } from '../../paths.ts';
import { Elapsed } from '../../ui/Moment.tsx';
import { hasEnded } from '../../ui/outcome.ts';
import { StateBadge } from '../../ui/StateBadge.tsx';
import { Tabs } from '../../ui/Tabs.tsx';
import { AttemptSelect } from './AttemptSelect.tsx';
import { CancelTask } from './CancelTask.tsx';
import { DbtResults } from './DbtResults.tsx';
import { Failure } from './Failure.tsx';
import { Iterations } from './Iterations.tsx';
import { LogView } from './LogView.tsx';
import { NotebookView } from './NotebookView.tsx';
import { TaskFacts } from './TaskFacts.tsx';
import { TaskWhy } from './Why.tsx';
import { runsCode, showsCells } from './work-text.ts';

type TabKey = NonNullable<RunView['tab']>;

/** One task: its latest attempt, or an earlier one when chosen. */
export function TaskPanel({ run, attempts }: { run: RunDocument; attempts: readonly RunTaskDocument[] }) {
  const [search] = useSearchParams();
  const sorted = [...attempts].sort((a, b) => a.run_id - b.run_id);
  const navigate = useNavigate();
  const wanted = search.has('attempt') ? Number(search.get('attempt')) : sorted.length - 1;
  const place = wanted in sorted ? wanted : sorted.length - 1;
  const task = sorted[place];
  if (!task) return null;
  const tabs = tabsOf(task);
  const shown = tabs.find((key) => key === search.get('tab')) ?? tabs[0] ?? 'settings';
  const pathOf = (view: RunView) =>
    paths.run(run.run_id, {
      repair: search.get('repair') ?? undefined,
      task: task.task_key,
      tab: search.has('tab') ? shown : undefined,
      attempt: search.has('attempt') ? place : undefined,
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
        <AttemptSelect
          attempts={sorted}
          place={place}
          onChange={(attempt) => navigate(pathOf({ attempt }))}
        />
        {!hasEnded(run.state) && (
          <CancelTask
            key={task.run_id}
            task={task}
            label="Cancel task"
            question={`Cancel only the task ${task.task_key}? Tasks that depend on it are skipped, unless they handle failure.`}
          />
        )}
      </header>
      <TaskFacts task={task} />
      {place === sorted.length - 1 && <TaskWhy runId={run.run_id} task={task} />}
      <Failure task={task} />
      <Tabs
        label="Of this task"
        selected={shown}
        tabs={tabs.map((key) => ({ key, label: labelOf(key, task), to: pathOf({ tab: key }) }))}
      />
      {shown === 'iterations' && <Iterations key={task.run_id} run={run} task={task} pathOf={pathOf} />}
      {shown === 'output' &&
        (task.dbt_task ? <DbtResults task={task} /> : <NotebookView runId={run.run_id} task={task} />)}
      {shown === 'log' && <LogView key={task.run_id} runId={run.run_id} task={task} />}
      {shown === 'settings' && <pre className="code">{JSON.stringify(settingsOf(task), null, 2)}</pre>}
    </section>
  );
}

const tabLabels = { iterations: 'Iterations', output: 'Notebook', log: 'Log', settings: 'Settings' } as const;

/** What a SQL task shows is a notebook of its statements, and what a dbt task shows the nodes of its project. */
function labelOf(key: TabKey, task: RunTaskDocument): string {
  if (key === 'output' && task.dbt_task) return 'Results';
  return key === 'output' && task.sql_task ? 'Statements' : tabLabels[key];
}

function tabsOf(task: RunTaskDocument): readonly TabKey[] {
  if (task.for_each_task) return ['iterations', 'settings'];
  if (!runsCode(task)) return ['settings'];
  return showsCells(task) || task.dbt_task ? ['output', 'log', 'settings'] : ['log', 'settings'];
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
  const { worker: _worker, ...ours } = task.headrace ?? {};
  return Object.fromEntries([
    ...Object.entries(task).filter(
      ([name]) => !ofTheRun.has(name) && name !== 'headrace' && !/_(time|duration)$/.test(name),
    ),
    ...(Object.keys(ours).length === 0 ? [] : [['headrace', ours]]),
  ]);
}
