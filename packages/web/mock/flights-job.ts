/** The example's job, as a deployed bundle stores it, and runs of it that have not begun. */
import type { JobDocument, RunDocument, RunTaskDocument } from '@headrace/api';
import { blocked, running } from './states.ts';
import { aMockRun, type MockRun, newId, owner, type World } from './world.ts';

const folder = '/Workspace/Users/ada@example.org/.bundle/flights/dev/files';
const shared = ['--catalog={{job.parameters.catalog}}', '--run-date={{job.parameters.run_date}}'];

const wheel = (entry: string) => ({
  python_wheel_task: { package_name: 'flights', entry_point: entry, parameters: shared },
  libraries: [{ whl: `${folder}/dist/flights-0.1.0-py3-none-any.whl` }],
});
const notebook = (name: string) => ({
  notebook_task: { notebook_path: `${folder}/notebooks/${name}`, source: 'WORKSPACE' as const },
});
const after = (...keys: readonly string[]) => ({ depends_on: keys.map((task_key) => ({ task_key })) });

/** `alert` does not wait for `publish`: a run fails when one of its last tasks does. */
const steps = ['land', 'bronze', 'silver', 'gold_delays', 'gold_routes'];

export const flightsTasks = [
  { task_key: 'land', ...wheel('land') },
  { task_key: 'bronze', ...after('land'), ...notebook('bronze') },
  { task_key: 'silver', ...after('bronze'), ...wheel('silver'), max_retries: 1 },
  { task_key: 'gold_delays', ...after('silver'), ...wheel('gold_delays') },
  { task_key: 'gold_routes', ...after('silver'), ...wheel('gold_routes') },
  { task_key: 'publish', ...after('gold_delays', 'gold_routes'), ...notebook('publish') },
  { task_key: 'alert', ...after(...steps), run_if: 'AT_LEAST_ONE_FAILED' as const, ...notebook('alert') },
];

export const flightsParameters = [
  { name: 'run_date', default: '2013-01-01' },
  { name: 'catalog', default: 'dev' },
];

export function flightsJob(jobId: number, createdAtMs: number): JobDocument {
  return {
    job_id: jobId,
    creator_user_name: owner,
    run_as_user_name: owner,
    created_time: createdAtMs,
    settings: {
      name: '[dev ada] flights_daily',
      description: 'Lands, cleans and summarises one day of flights out of New York.',
      parameters: flightsParameters,
      schedule: { quartz_cron_expression: '0 30 4 * * ?', timezone_id: 'America/New_York' },
      tasks: flightsTasks,
      max_concurrent_runs: 1,
      format: 'MULTI_TASK',
    },
  };
}

export interface RunStart {
  readonly runId: number;
  readonly jobId: number;
  readonly startedAtMs: number;
  readonly values?: Readonly<Record<string, string>>;
}

/** A run whose tasks all wait. */
export function startRun(world: World, start: RunStart): MockRun {
  const { settings } = world.jobs.get(start.jobId) ?? {};
  const course = {
    attempt_number: 0,
    end_time: 0,
    setup_duration: 0,
    execution_duration: 0,
    cleanup_duration: 0,
    run_page_url: `/runs/${start.runId}`,
  };
  const document: RunDocument = {
    ...course,
    ...running,
    job_id: start.jobId,
    run_id: start.runId,
    job_run_id: start.runId,
    run_name: settings?.name ?? 'untitled',
    run_type: 'JOB_RUN',
    trigger: 'ONE_TIME',
    creator_user_name: owner,
    start_time: start.startedAtMs,
    job_parameters: (settings?.parameters ?? []).map((parameter) => ({
      ...parameter,
      value: start.values?.[parameter.name] ?? parameter.default,
    })),
  };
  const tasks = (settings?.tasks ?? []).map(
    (task): RunTaskDocument => ({ ...task, ...course, ...blocked, run_id: newId(world), start_time: 0 }),
  );
  const run = aMockRun(document, tasks);
  world.runs.set(start.runId, run);
  return run;
}
