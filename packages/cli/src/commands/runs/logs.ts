/** `headrace runs logs` */
import type { Client, RunDocument, RunTaskDocument } from '@headrace/api';
import { Command } from 'commander';
import type { CliContext } from '../../cli-context.ts';
import { CommandError, exitCodes } from '../../command-error.ts';
import { addConnectionOptions, type ConnectionOptions, connect } from '../../connection.ts';
import { note } from '../../output/print.ts';
import { findIteration, findTask } from '../../runs/find-task.ts';
import { createLineWriter, followLogs, type LoggedTask, runIdOf } from '../../runs/follow-logs.ts';
import { getWholeRun } from '../../runs/get-whole.ts';
import { openLog, readLog } from '../../runs/read-log.ts';
import { hasEnded } from '../../runs/run-words.ts';
import { latestAttempts } from '../../runs/task-runs.ts';
import { example } from '../example.ts';
import { parseId, parseIndex } from '../parse-options.ts';

interface Options extends ConnectionOptions {
  readonly task?: string;
  readonly iteration?: number;
  readonly follow?: boolean;
}

export function createRunsLogsCommand(context: CliContext): Command {
  const command = new Command('logs')
    .description('print what the tasks of a run printed')
    .argument('<run>', 'id of the run, or of one of its task runs', parseId)
    .option('--task <key>', 'only this task; its latest attempt')
    .option(
      '--iteration <number>',
      'of a for-each task: only the iteration of this input, from 0',
      parseIndex,
    )
    .option('-f, --follow', 'go on until the run, or the task, has ended')
    .addHelpText(
      'after',
      example('runs logs 2077 --task silver --follow', 'runs logs 2077 --task each_region --iteration 2'),
    )
    .action(async (runId: number, options: Options) => {
      const client = await connect(context, options);
      if (options.follow)
        await followLogs(context, client, {
          runId,
          output: context.stdout,
          choose: (run) => chooseTasks(client, run, options),
          isOver: (run, tasks) =>
            options.task === undefined ? hasEnded(run.state) : tasks.every(({ state }) => hasEnded(state)),
        });
      else {
        const run = await getWholeRun(client, runId);
        await printLogs(context, client, await chooseTasks(client, run, options), run);
      }
    });
  return addConnectionOptions(command);
}

/** One task after the other, each below its name when there are several. */
async function printLogs(
  context: CliContext,
  client: Client,
  tasks: readonly LoggedTask[],
  run: RunDocument,
): Promise<void> {
  const started = tasks.filter((task) => task.start_time > 0);
  let isAny = false;
  for (const task of started) {
    if (tasks.length > 1) context.stdout.write(`==> ${task.task_key} <==\n`);
    const write = createLineWriter(context.stdout, '');
    await readLog(client, openLog(runIdOf(run), task.run_id), (text) => {
      isAny = true;
      write.text(text);
    });
    write.end();
  }
  if (!isAny) note(context, describeSilence(tasks, started, run));
}

/** Rather than nothing at all. */
function describeSilence(
  tasks: readonly LoggedTask[],
  started: readonly LoggedTask[],
  run: RunDocument,
): string {
  if (started.length === 0) {
    return `nothing has begun that could have printed: \`headrace runs why ${runIdOf(run)}\` says what it waits for`;
  }
  const [only] = tasks;
  if (tasks.length > 1 || only === undefined) return 'no task has printed anything';
  return only.for_each_task === undefined
    ? `task ${only.task_key} has printed nothing`
    : `task ${only.task_key} is a for-each: its iterations print, see \`headrace runs logs ${runIdOf(run)} --task ${only.task_key} --iteration 0\``;
}

/** Null when it is a run. A task run by its own id is named for its task. */
function toTask(run: RunDocument): LoggedTask | null {
  if (runIdOf(run) === run.run_id) return null;
  const { run_id, run_name: task_key = '', start_time, state } = run;
  const forEach = run.for_each_task as RunTaskDocument['for_each_task']; // As it stands among the tasks of its run.
  return { run_id, task_key, start_time, state, for_each_task: forEach };
}

async function chooseTasks(
  client: Client,
  run: RunDocument,
  { task: key, iteration }: Options,
): Promise<readonly LoggedTask[]> {
  const alone = toTask(run);
  if (alone && key === undefined && iteration === undefined) return [alone];
  if (alone) {
    throw new CommandError(`${run.run_id} is a task run, of task ${alone.task_key}`, {
      exitCode: exitCodes.usage,
      cure: `leave --task and --iteration out, or give its run: ${runIdOf(run)}`,
    });
  }
  if (key === undefined && iteration === undefined) return latestAttempts(run.tasks ?? []);
  if (key === undefined) {
    throw new CommandError('of which task is the iteration?', {
      exitCode: exitCodes.usage,
      cure: 'name the for-each task with --task',
    });
  }
  const task = findTask(run, key);
  return iteration === undefined ? [task] : [await findIteration(client, task, iteration)];
}
