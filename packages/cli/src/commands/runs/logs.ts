/** `headrace runs logs` */
import type { Client, RunDocument, RunTaskDocument } from '@headrace/api';
import { Command } from 'commander';
import type { CliContext } from '../../cli-context.ts';
import { CommandError, exitCodes } from '../../command-error.ts';
import { addConnectionOptions, type ConnectionOptions, connect } from '../../connection.ts';
import { findIteration, findTask } from '../../runs/find-task.ts';
import { getWholeRun } from '../../runs/get-whole.ts';
import { type LogReader, openLog, readLog } from '../../runs/read-log.ts';
import { hasEnded } from '../../runs/run-words.ts';
import { latestAttempts } from '../../runs/task-runs.ts';
import { example } from '../example.ts';
import { parseId, parseIndex } from '../parse-options.ts';

interface Options extends ConnectionOptions {
  readonly task?: string;
  readonly iteration?: number;
  readonly follow?: boolean;
}

const pollMs = 500;

export function createRunsLogsCommand(context: CliContext): Command {
  const command = new Command('logs')
    .description('print what the tasks of a run printed')
    .argument('<run>', 'id of the run', parseId)
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
      if (options.follow) await followLogs(context, client, runId, options);
      else {
        const run = await getWholeRun(client, runId);
        await printLogs(context, client, await chooseTasks(client, run, options), runId);
      }
    });
  return addConnectionOptions(command);
}

/** One task after the other, each below its name when there are several. */
async function printLogs(
  context: CliContext,
  client: Client,
  tasks: readonly RunTaskDocument[],
  runId: number,
): Promise<void> {
  const started = tasks.filter((task) => task.start_time > 0);
  for (const task of started) {
    if (tasks.length > 1) context.stdout.write(`==> ${task.task_key} <==\n`);
    const write = createLineWriter(context, '');
    await readLog(client, openLog(runId, task.run_id), write.text);
    write.end();
  }
}

/** Tasks may run side by side and be tried again: each whole line carries its task's name, new attempts join in. */
async function followLogs(
  context: CliContext,
  client: Client,
  runId: number,
  options: Options,
): Promise<void> {
  const open = new Map<number, { reader: LogReader; writer: LineWriter }>();
  while (!context.interrupted.aborted) {
    const run = await getWholeRun(client, runId);
    const tasks = await chooseTasks(client, run, options);
    for (const task of tasks.filter(({ start_time }) => start_time > 0)) {
      const prefix = tasks.length > 1 ? `[${task.task_key}] ` : '';
      const log = open.get(task.run_id) ?? {
        reader: openLog(runId, task.run_id),
        writer: createLineWriter(context, prefix),
      };
      open.set(task.run_id, log);
    }
    // Also those of earlier attempts: a retry may begin before their end was read.
    for (const { reader, writer } of open.values()) {
      if (reader.ended) continue;
      await readLog(client, reader, writer.text);
      if (reader.ended) writer.end();
    }
    const isOver =
      options.task === undefined ? hasEnded(run.state) : tasks.every(({ state }) => hasEnded(state));
    if (isOver && [...open.values()].every(({ reader }) => reader.ended)) return;
    await context.clock.sleep(pollMs, context.interrupted);
  }
}

async function chooseTasks(
  client: Client,
  run: RunDocument,
  { task: key, iteration }: Options,
): Promise<readonly RunTaskDocument[]> {
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

interface LineWriter {
  text(chunk: string): void;
  /** Closes a last line that had no end. */
  end(): void;
}

function createLineWriter(context: CliContext, prefix: string): LineWriter {
  let pending = '';
  let midLine = false;
  return {
    text(chunk) {
      if (prefix === '') {
        context.stdout.write(chunk);
        midLine = !chunk.endsWith('\n');
        return;
      }
      const lines = (pending + chunk).split('\n');
      pending = lines.pop() ?? '';
      for (const line of lines) context.stdout.write(`${prefix}${line}\n`);
    },
    end() {
      if (pending !== '') context.stdout.write(`${prefix}${pending}\n`);
      else if (midLine) context.stdout.write('\n');
      pending = '';
      midLine = false;
    },
  };
}
