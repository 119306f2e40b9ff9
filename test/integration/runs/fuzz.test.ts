/** Whatever comes in: an answer that says what is wrong, and nothing is changed by what is refused. */
import { errorStatuses, type Route, routes } from '@headrace/api';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fakeTask, startTestEngine, type TestEngine } from './engine.ts';
import { type FuzzRequest, type FuzzTarget, fuzzRequests, type Json } from './fuzz-requests.ts';

let engine: TestEngine;
let targets: readonly FuzzTarget[];
beforeAll(async () => {
  // Without a worker nothing moves but what a request moves.
  engine = await startTestEngine({ hasWorker: false });
  targets = await findTargets();
}, 60_000);
afterAll(() => engine.close());

test.each([
  ['a seed that stays', 20_261_121],
  ['a seed of the day', Date.now() % 2 ** 31],
])('with %s: no request breaks the server, and refused ones change nothing (%i)', async (_, seed) => {
  const requests = fc.sample(fuzzRequests(targets), { seed, numRuns: 5_000 });
  const seen = new Map<string, number>();
  const wrong: string[] = [];

  for (let from = 0; from < requests.length; from += 250) {
    const chunk = requests.slice(from, from + 250);
    const answers = await Promise.all(chunk.map(send));
    for (const answer of answers) {
      wrong.push(...complaintsAbout(answer));
      const kind = answer.status < 300 ? 'accepted' : 'refused';
      seen.set(kind, (seen.get(kind) ?? 0) + 1);
    }
    wrong.push(...(await complaintsAboutChange(answers.filter(({ status }) => status >= 400))));
  }

  expect(wrong.slice(0, 10), `seed ${seed}`).toEqual([]);
  // Neither a wall nor an open door: both would prove nothing.
  expect(seen.get('accepted')).toBeGreaterThan(300);
  expect(seen.get('refused')).toBeGreaterThan(1_500);
});

interface Answer {
  readonly request: FuzzRequest;
  readonly status: number;
  readonly body: { readonly error_code?: unknown; readonly message?: unknown; readonly details?: unknown };
}

async function send(request: FuzzRequest): Promise<Answer> {
  const { method, url, headers, body } = request;
  const response = await fetch(`${engine.url}${url}`, {
    method,
    headers: { ...headers, authorization: 'Bearer any' },
    ...(body === undefined ? {} : { body }),
  });
  const text = await response.text();
  try {
    return { request, status: response.status, body: JSON.parse(text) };
  } catch {
    return { request, status: response.status, body: { message: `no JSON: ${text}` } };
  }
}

function complaintsAbout(answer: Answer): string[] {
  const { request, status, body } = answer;
  const told = `${request.routeName} ${request.url.slice(0, 300)} ${request.body?.slice(0, 600)} → ${status} ${JSON.stringify(body).slice(0, 300)}`;
  if (status < 300) return [];
  if (status >= 500) return [`breaks: ${told}`];
  const isErrorBody =
    Object.hasOwn(errorStatuses, String(body.error_code)) &&
    typeof body.message === 'string' &&
    body.message.length > 0 &&
    Array.isArray(body.details);
  if (!isErrorBody) return [`no error body: ${told}`];
  const namesField = fieldsOf(request).some((field) => String(body.message).includes(field));
  const namesObject = /\d+ (does not exist|is active|is not repaired|would not be repaired)/.test(
    String(body.message),
  );
  if (body.error_code === 'INVALID_PARAMETER_VALUE' && !namesField && !namesObject)
    return [`names no field (${request.field}): ${told}`];
  return [];
}

/**
 * What a message about it may name: the field that was changed; of settings, any of them, as they are judged
 * together; of a repair, the one before it.
 */
function fieldsOf({ routeName, field, body }: FuzzRequest): readonly string[] {
  if (field === null) return [''];
  if (routeName.startsWith('runsRepair')) return [field, 'latest_repair_id'];
  if (routeName !== 'jobsUpdate' && routeName !== 'jobsReset') return [field];
  const { new_settings } = JSON.parse(body ?? '{}') as Json;
  return [field, 'tasks', ...Object.keys(new_settings ?? {})];
}

/** The refused ones once more, with the store looked at before and after. */
async function complaintsAboutChange(refused: readonly Answer[]): Promise<string[]> {
  const before = await digest();
  const again = await Promise.all(refused.map(({ request }) => send(request)));
  // Something that was made meanwhile may let one through: then nothing can be said of this chunk.
  if (again.some(({ status }) => status < 400)) return [];
  const after = await digest();
  return before === after ? [] : [`refused requests changed the store: ${before} → ${after}`];
}

/** Counts and versions of all that requests can change, once what earlier requests began has come to rest. */
async function digest(): Promise<string> {
  let last = '';
  return engine.waitFor('the store to rest', async () => {
    const { rows } = await engine.db.pool.query(`
-- Runs that their own time limit may end at any moment are left out.
with lasting as (
  select run_id, version, r.deleted_at_ms
  from runs r
  join run_generations using (run_id, generation)
  where definition ->> 'timeoutMs' is null
)
select
  (select json_build_array(count(*), count(deleted_at_ms), md5(string_agg(settings::text, '|' order by job_id))) from jobs) as jobs,
  (select json_build_array(count(*), sum(version), count(deleted_at_ms)) from lasting) as runs,
  (select json_build_array(count(*), md5(string_agg(state, '|' order by attempt_id)))
     from task_runs join lasting using (run_id)) as task_runs,
  (select count(*) from run_generations) as generations`);
    const now = JSON.stringify(rows);
    if (now === last) return now;
    last = now;
    return null;
  });
}

const condition = (key: string, rest: Json = {}) => ({
  task_key: key,
  condition_task: { op: 'EQUAL_TO', left: '{{job.parameters.day}}', right: 'monday' },
  ...rest,
});
const settings = (): Json => ({
  name: 'fuzzed',
  description: 'a job that is often almost right',
  parameters: [{ name: 'day', default: 'monday' }],
  tags: { team: 'water' },
  max_concurrent_runs: 1_000,
  queue: { enabled: true },
  tasks: [
    condition('is_monday'),
    fakeTask('load', {
      depends_on: [{ task_key: 'is_monday', outcome: 'true' }],
      run_if: 'ALL_SUCCESS',
      max_retries: 2,
      min_retry_interval_millis: 5,
      timeout_seconds: 60,
      libraries: [{ pypi: { package: 'polars' } }],
    }),
    {
      task_key: 'each',
      depends_on: [{ task_key: 'is_monday' }],
      for_each_task: { inputs: '[1, 2]', concurrency: 2, task: condition('one') },
    },
    { task_key: 'book', notebook_task: { notebook_path: '/book', base_parameters: { a: '{{job.id}}' } } },
  ],
  job_clusters: [{ job_cluster_key: 'small', new_cluster: { spark_version: '15.4.x', num_workers: 0 } }],
});

/** Most are repaired early on, and their later repairs refused for it. */
const runsToRepair = 100;

/** Routes of jobs and runs, with sound requests. What some of them destroy is there for them alone. */
async function findTargets(): Promise<FuzzTarget[]> {
  const makeJob = async (rest: object = {}) =>
    (await engine.client.jobsCreate({ ...settings(), ...rest })).job_id;
  const makeRun = async (job_id: number) => (await engine.client.jobsRunNow({ job_id })).run_id;
  const conditions = [
    condition('is_monday'),
    condition('after', { depends_on: [{ task_key: 'is_monday' }] }),
  ];
  const jobId = await makeJob();
  const changed = await makeJob();
  const calm = await makeJob({ tasks: conditions });
  const ended = await engine.waitForEnd(await makeRun(calm));
  const removed = await engine.waitForEnd(await makeRun(calm));
  const endedIds = { run_id: ended.run_id, task_run_id: ended.tasks?.[0]?.run_id };
  const repairs = await Promise.all(
    Array.from({ length: runsToRepair }, async () => {
      const { run_id } = await engine.waitForEnd(await makeRun(calm));
      return { run_id, rerun_tasks: ['is_monday'], rerun_dependent_tasks: true };
    }),
  );
  const examples: Readonly<Record<string, readonly Json[]>> = {
    jobsCreate: [settings(), { name: 'single', notebook_task: { notebook_path: '/n' }, max_retries: '3' }],
    jobsGet: [{ job_id: jobId, page_token: '' }],
    jobsList: [{ limit: '5', name: 'fuzzed', expand_tasks: 'True', offset: 0, page_token: '' }],
    jobsUpdate: [{ job_id: changed, new_settings: settings(), fields_to_remove: ['tags', 'tasks/load'] }],
    jobsReset: [{ job_id: String(changed), new_settings: settings() }],
    jobsDelete: [{ job_id: await makeJob() }],
    jobsRunNow: [
      { job_id: jobId, job_parameters: { day: 'friday' }, only: ['+load'], queue: { enabled: 'True' } },
      { job_id: jobId, notebook_params: { a: '1' }, python_params: ['x'], idempotency_token: '' },
    ],
    runsSubmit: [{ run_name: 'once', tasks: settings().tasks, timeout_seconds: 0, idempotency_token: '' }],
    runsGet: [
      { run_id: ended.run_id, include_history: 'True', include_resolved_values: true, page_token: '' },
    ],
    runsList: [{ job_id: jobId, active_only: 'True', limit: 5, run_type: 'JOB_RUN', start_time_from: 1 }],
    runsCancel: [{ run_id: await makeRun(jobId) }],
    runsCancelAll: [{ job_id: changed, all_queued_runs: 'False' }],
    runsDelete: [{ run_id: removed.run_id }],
    runsRepair: repairs.map((repair) => ({
      ...repair,
      job_parameters: { day: 'friday' },
      headrace: { definition: 'original' },
    })),
    runsRepairPreview: repairs,
    runsExport: [{ run_id: endedIds.task_run_id, views_to_export: 'ALL' }],
    runsGetOutput: [{ run_id: endedIds.task_run_id }],
    taskLog: [{ ...endedIds, offset: 0, limit: 10 }],
    taskNotebook: [endedIds],
    taskDbtArtifacts: [endedIds],
    runsWhy: [{ run_id: ended.run_id, task_key: 'after' }],
  };
  const ours = Object.entries<Route>(routes).filter(
    ([, { path, kind }]) =>
      /^\/api\/(2\.2\/jobs|headrace\/runs)\//.test(path) &&
      kind !== 'events' &&
      // Of the Git slice, which this engine is without.
      !path.endsWith('/git-checkout'),
  );
  const found = ours.map(async ([routeName, route]) => {
    const known = examples[routeName];
    if (!known) throw new Error(`write a sound request for ${routeName}, so that it is tried too`);
    // A route that is not answered yet has nothing to break.
    const { status } = await fetch(`${engine.url}${route.path}`, { method: route.method });
    return status === 501 ? [] : [{ routeName, route, examples: known }];
  });
  return (await Promise.all(found)).flat();
}
