/** A for-each with more iterations than a page shows, some of which failed. */
import type { JobDocument } from '@headrace/api';
import { startRun } from './flights-job.ts';
import { addIteration, withStats } from './for-each.ts';
import { failed, succeeded } from './states.ts';
import { type MockRun, owner, setLog, type World } from './world.ts';

const filesCount = 250;
/** The first of them was tried twice. */
const brokenFiles: readonly number[] = [7, 130];

export function manyFilesJob(jobId: number, createdAtMs: number): JobDocument {
  const inputs = Array.from({ length: filesCount }, (_, at) => ({ file: `part-${at}.csv` }));
  const task = {
    task_key: 'read_file',
    max_retries: 1,
    spark_python_task: {
      python_file: `/Workspace/Users/${owner}/read_file.py`,
      parameters: ['{{input.file}}'],
    },
  };
  return {
    job_id: jobId,
    creator_user_name: owner,
    created_time: createdAtMs,
    settings: {
      name: 'many_files',
      tasks: [
        { task_key: 'each_file', for_each_task: { inputs: JSON.stringify(inputs), concurrency: 20, task } },
      ],
    },
  };
}

export function addManyFilesRun(
  world: World,
  { runId, jobId, atMs }: { readonly runId: number; readonly jobId: number; readonly atMs: number },
): MockRun {
  const run = startRun(world, { runId, jobId, startedAtMs: atMs });
  const [each] = run.tasks;
  if (!each) return run;
  const message = 'UnicodeDecodeError: byte 0xff in position 12';
  for (let iteration = 0; iteration < filesCount; iteration++) {
    const isBroken = brokenFiles.includes(iteration);
    const startMs = atMs + 40 * iteration;
    const course = {
      iteration,
      startMs,
      endMs: startMs + 700,
      state: isBroken ? failed(message) : succeeded,
    };
    const tried = addIteration(run, each, course);
    setLog(run, tried.run_id, isBroken ? `first try\n${message}\n` : '12 rows\n');
    if (iteration !== brokenFiles[0]) continue;
    const again = addIteration(run, each, {
      ...course,
      attempt: 1,
      startMs: startMs + 800,
      endMs: startMs + 1_500,
    });
    setLog(run, again.run_id, `second try\n${message}\n`);
    run.errors.set(again.run_id, { error: message, trace: `Traceback …\n${message}` });
  }
  const endMs = atMs + 12_000;
  const end = failed(`2 of ${filesCount} iterations failed; the first: iteration 7: ${message}`);
  run.tasks[0] = withStats(run, { ...each, ...end, start_time: atMs + 50, end_time: endMs });
  run.document = {
    ...run.document,
    ...failed(
      'Task each_file failed with message: Workload failed, see run output for details.',
      'INTERNAL_ERROR',
    ),
    end_time: endMs,
  };
  return run;
}
