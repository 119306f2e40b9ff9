/**
 * `npm run demo`: a server in a fresh state folder, the example bundle deployed and run, its table of results shown,
 * everything stopped. It uses only what users have: the headrace command and the API's client.
 */
import { randomUUID } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Client, createClient, type RunEvent } from '../packages/api/src/index.ts';
import { findMarked, MARKER, takeCensus } from './census.ts';
import { printRunFailure, printTable, reportTask } from './demo-output.ts';
import { root, runCommand } from './run-command.ts';

// The first run takes 60–120 s on 2 cores; beyond ten minutes something hangs.
const RUN_MAX_MS = 10 * 60_000;
const STOP_GRACE_MS = 15_000;
const JOB_NAME = 'flights_daily';
const RESULT_TASK = 'publish';

/** What went wrong, and what a person can do about it. */
class DemoFailure extends Error {
  readonly cure: string;

  constructor(message: string, cure: string) {
    super(message);
    this.cure = cure;
  }
}

const demoId = randomUUID();
const stateDir = mkdtempSync(join(tmpdir(), 'headrace-demo-'));
const marks = { runId: demoId, folder: stateDir };
const bundleDir = join(root, 'examples', 'flights');

async function main() {
  process.once('SIGINT', () => void abandon(130));
  process.once('SIGTERM', () => void abandon(143));
  try {
    await runDemo();
  } catch (error) {
    process.exitCode = 1;
    const cure = error instanceof DemoFailure ? error.cure : 'this is a defect of Headrace: please report it';
    console.error(
      `\nthe demo failed: ${error instanceof Error ? error.message : String(error)}\n\nwhat to do: ${cure}`,
    );
  }
  await stopEverything();
  if (process.exitCode === undefined) console.log('everything is stopped; the demo is over.');
}

async function runDemo() {
  heading('starting Headrace');
  const port = ['--port', '0', '--detach'];
  await headrace(['up', '--state-dir', stateDir, ...port], {
    failure: 'the server did not start',
    cure: `its log is below ${stateDir}`,
  });
  const server = readServerFile();
  const client = createClient({ baseUrl: server.url, token: server.token });

  heading('deploying examples/flights');
  await headrace(['bundle', 'deploy', '-t', 'dev'], {
    failure: 'the example bundle was not deployed',
    cure: 'read the messages above; examples/flights must be as it was committed',
    cwd: bundleDir,
    env: { HEADRACE_HOST: server.url, HEADRACE_TOKEN: server.token },
  });

  heading(`running ${JOB_NAME}`);
  const jobs = await client.jobsList({});
  const job = jobs.jobs?.find(({ settings }) => settings?.name?.endsWith(JOB_NAME));
  if (job?.job_id === undefined) {
    throw new DemoFailure(
      `the bundle was deployed, but there is no job ${JOB_NAME}`,
      'look at examples/flights/databricks.yml',
    );
  }
  const { run_id: runId } = await client.jobsRunNow({ job_id: job.job_id });
  const last = await watch(client, runId);
  await showResult(client, last);
}

async function watch(client: Client, runId: number): Promise<RunEvent> {
  const beganAtMs = performance.now();
  const signal = AbortSignal.timeout(RUN_MAX_MS);
  const seen = new Map<string, string>();
  let tasks: RunEvent['tasks'] = [];
  try {
    for await (const event of client.runEvents({ run_id: runId }, { signal })) {
      for (const task of event.tasks) reportTask(task, { seen, elapsedMs: performance.now() - beganAtMs });
      const changed = new Set(event.tasks.map((task) => task.run_id));
      tasks = [...tasks.filter((task) => !changed.has(task.run_id)), ...event.tasks];
      if (event.ended) return { ...event, tasks };
    }
  } catch (error) {
    if (!signal.aborted) throw error;
    throw new DemoFailure(
      `run ${runId} did not end within ${RUN_MAX_MS / 60_000} minutes`,
      `see the logs below ${stateDir}`,
    );
  }
  throw new DemoFailure(
    `the event stream of run ${runId} ended before the run did`,
    `see the server's log below ${stateDir}`,
  );
}

async function showResult(client: Client, run: RunEvent) {
  if (run.state.result_state !== 'SUCCESS') {
    await printRunFailure(client, run);
    throw new DemoFailure(
      `run ${run.run_id} ended ${run.state.result_state ?? run.state.life_cycle_state}: ${run.state.state_message ?? ''}`,
      `the failed task's own words are above; its files are below ${stateDir}`,
    );
  }
  const task = run.tasks.find(({ task_key }) => task_key === RESULT_TASK);
  if (task === undefined)
    throw new DemoFailure(`the run has no task ${RESULT_TASK}`, 'look at examples/flights');
  const notebook = await client.taskNotebook({ run_id: run.run_id, task_run_id: task.run_id });
  const tables = notebook.cells.flatMap((cell) => cell.outputs).filter((output) => output.kind === 'table');
  if (tables.length === 0) {
    throw new DemoFailure(`the notebook of ${RESULT_TASK} showed no table`, 'look at examples/flights');
  }
  heading('the result, as the notebook showed it');
  for (const table of tables) printTable(table);
}

/** The local token lives in this file as long as the server does. */
function readServerFile() {
  const path = join(stateDir, 'server.json');
  if (!existsSync(path))
    throw new DemoFailure(`headrace up wrote no ${path}`, `see the logs below ${stateDir}`);
  return JSON.parse(readFileSync(path, 'utf8')) as { url: string; token: string; pid: number };
}

interface CommandPlan {
  readonly failure: string;
  readonly cure: string;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

async function headrace(args: readonly string[], { failure, cure, cwd = root, env = {} }: CommandPlan) {
  const main = join(root, 'packages', 'cli', 'src', 'main.ts');
  // The caller's own workspace must stay out of the demo: an empty variable counts as none.
  const own = { DATABRICKS_HOST: '', DATABRICKS_TOKEN: '', HEADRACE_DATABASE_URL: '', [MARKER]: demoId };
  const code = await runCommand(process.execPath, ['--conditions=source', main, ...args], {
    cwd,
    env: { ...own, ...env },
  });
  if (code !== 0) throw new DemoFailure(`${failure} (headrace ${args.join(' ')} ended with ${code})`, cure);
}

async function stopEverything() {
  heading('stopping Headrace');
  if (existsSync(join(stateDir, 'server.json'))) {
    await headrace(['down', '--state-dir', stateDir], { failure: 'the server did not stop', cure: '' }).catch(
      (error) => {
        console.error(String(error.message));
        process.exitCode = 1;
      },
    );
  }
  const left = await takeCensus(marks, { graceMs: STOP_GRACE_MS });
  for (const { pid, command } of left ?? []) {
    console.error(`left behind, killed: process ${pid}: ${command}`);
    process.exitCode = 1;
    process.kill(pid, 'SIGKILL');
  }
  if (process.exitCode === undefined) rmSync(stateDir, { recursive: true, force: true });
  else console.error(`the demo's files are kept in ${stateDir}`);
}

async function abandon(code: number) {
  console.error('\nstopping …');
  process.exitCode = code;
  await stopEverything();
  for (const { pid } of findMarked(marks) ?? []) process.kill(pid, 'SIGKILL');
  process.exit(code);
}

function heading(text: string) {
  console.log(`\n== ${text}`);
}

await main();
