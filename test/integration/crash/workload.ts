/** Runs that use everything, asked for so that each request may be repeated; and what must have become of them. */
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Lane } from './lane.ts';

export interface JobIds {
  readonly all: number;
  readonly child: number;
  readonly hanging: number;
  readonly repaired: number;
}

export interface Workload {
  /** The runs that it asked for, by their token. */
  readonly runs: ReadonlyMap<string, number>;
}

/** One line for each start of user code, in one write: the attempt, and what it was started as. */
const script = `
import os, sys, time
ledger, name, count, mode = sys.argv[1:5]
line = "%s %s\\n" % (os.path.basename(os.environ["HEADRACE_TASK_MARK"]), name)
file = os.open(ledger, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
os.write(file, line.encode())
if mode == "hang":
    time.sleep(600)
if mode == "fail" or (mode == "flaky" and count == "1"):
    raise SystemExit("not this time")
`;

/** Makes tasks that write into the lane's ledger. */
export function taskMaker(lane: Lane) {
  const file = path.join(lane.folder, 'task.py');
  fs.writeFileSync(file, script);
  return (key: string, mode: string, rest: object = {}) => ({
    task_key: key,
    spark_python_task: {
      python_file: file,
      parameters: [lane.ledger, `{{job.run_id}}/${key}`, '{{task.execution_count}}', mode],
    },
    ...rest,
  });
}

/** In peace: making a job cannot be repeated. */
export async function makeJobs(lane: Lane): Promise<JobIds> {
  const task = taskMaker(lane);
  const after = (key: string, outcome?: string) => ({
    depends_on: [{ task_key: key, ...(outcome === undefined ? {} : { outcome }) }],
  });
  const create = async (settings: object) =>
    (await lane.ask((client) => client.jobsCreate({ queue: { enabled: true }, ...settings }))).job_id ?? 0;

  const child = await create({ name: 'child', max_concurrent_runs: 10, tasks: [task('leaf', 'pass')] });
  const all = await create({
    name: 'all',
    tasks: [
      task('first', 'pass'),
      task('second', 'pass', after('first')),
      task('flaky', 'flaky', { ...after('first'), max_retries: 1, min_retry_interval_millis: 100 }),
      { task_key: 'gate', condition_task: { op: 'EQUAL_TO', left: 'a', right: 'a' }, ...after('first') },
      task('yes', 'pass', after('gate', 'true')),
      task('no', 'pass', after('gate', 'false')),
      {
        task_key: 'each',
        for_each_task: { inputs: '["x", "y"]', concurrency: 2, task: task('item', 'pass') },
        ...after('first'),
      },
      { task_key: 'start', run_job_task: { job_id: child }, ...after('first') },
    ],
  });
  const hanging = await create({ name: 'hanging', tasks: [task('hang', 'hang')] });
  const repaired = await create({
    name: 'repaired',
    max_concurrent_runs: 10,
    parameters: [{ name: 'mode', default: 'fail' }],
    tasks: [task('good', 'pass'), task('bad', '{{job.parameters.mode}}')],
  });
  return { all, child, hanging, repaired };
}

/** Resolves when all that it asked for has ended. `onHanging` is called while a task runs that will not end by itself. */
export async function driveWorkload(
  lane: Lane,
  jobs: JobIds,
  { name, onHanging }: { readonly name: string; readonly onHanging: () => void },
): Promise<Workload> {
  const runs = new Map<string, number>();
  const runNow = async (job_id: number, token: string) => {
    const request = { job_id, idempotency_token: `${name}-${token}` };
    // Twice at once, as an impatient client does.
    const answers = await Promise.all([1, 2].map(() => lane.ask((client) => client.jobsRunNow(request))));
    const ids = new Set(answers.map(({ run_id }) => run_id));
    const [runId] = ids;
    if (ids.size !== 1 || runId === undefined) throw new Error(`one token made runs ${[...ids]}`);
    runs.set(request.idempotency_token, runId);
    return runId;
  };
  await Promise.all([
    Promise.all(['all-1', 'all-2'].map(async (token) => waitForEnd(lane, await runNow(jobs.all, token)))),
    hangAndCancel(lane, { jobId: jobs.hanging, runNow, onHanging }),
    failAndRepair(lane, await runNow(jobs.repaired, 'repaired')),
  ]);
  return { runs };
}

async function hangAndCancel(
  lane: Lane,
  {
    jobId: job_id,
    runNow,
    onHanging,
  }: {
    readonly jobId: number;
    readonly runNow: (jobId: number, token: string) => Promise<number>;
    readonly onHanging: () => void;
  },
): Promise<void> {
  const hanging = await runNow(job_id, 'hanging');
  await waitFor(`run ${hanging} hangs`, () =>
    readLedger(lane).some(({ name }) => name === `${hanging}/hang`),
  );
  onHanging();
  const queued = await runNow(job_id, 'queued');
  await lane.ask((client) => client.runsCancelAll({ job_id, all_queued_runs: true }));
  await waitForEnd(lane, queued);
  await lane.ask((client) => client.runsCancelAll({ job_id }));
  await waitForEnd(lane, hanging);
  // Its task by its own id, now that it has ended: no mistake.
  const { tasks } = await lane.ask((client) => client.runsGet({ run_id: hanging }));
  await lane.ask((client) => client.runsCancel({ run_id: tasks?.[0]?.run_id ?? 0 }));
  await lane.ask((client) => client.runsDelete({ run_id: queued }).catch(ignoreGone));
}

/** Deleted by the call whose answer was lost. */
function ignoreGone(error: unknown): void {
  if (!(error instanceof Error) || !/does not exist/.test(error.message)) throw error;
}

async function failAndRepair(lane: Lane, run_id: number): Promise<void> {
  await waitForEnd(lane, run_id);
  await lane.ask(async (client) => {
    const { repair_history } = await client.runsGet({ run_id, include_history: true });
    // A repair has no token: whoever asks again looks first.
    if (repair_history?.some(({ type }) => type === 'REPAIR')) return;
    await client.runsRepair({ run_id, rerun_all_failed_tasks: true, job_parameters: { mode: 'pass' } });
  });
  await waitForEnd(lane, run_id);
}

export interface LedgerLine {
  readonly attemptId: number;
  readonly name: string;
}

export function readLedger(lane: Pick<Lane, 'ledger'>): LedgerLine[] {
  if (!fs.existsSync(lane.ledger)) return [];
  const lines = fs.readFileSync(lane.ledger, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => {
    const [attemptId, name] = line.split(' ');
    return { attemptId: Number(attemptId), name: name ?? '' };
  });
}

const patienceMs = 60_000;
const lookAgainMs = 15;

/** Asked of the store: the server may be away. */
export async function waitForEnd({ database }: Lane, runId: number): Promise<void> {
  await waitFor(`run ${runId} has ended`, async () => {
    const { rows } = await database.pool.query('select phase from runs where run_id = $1', [runId]);
    return rows[0]?.phase === 'ended';
  });
}

async function waitFor(what: string, holds: () => Promise<boolean> | boolean): Promise<void> {
  const deadline = performance.now() + patienceMs;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`not within ${patienceMs} ms: ${what}`);
    await delay(lookAgainMs);
  }
}
