/** What the tasks of a run print, as they print it. */
import type { Client, RunDocument, RunTaskDocument } from '@headrace/api';
import type { CliContext, Output } from '../cli-context.ts';
import { getWholeRun } from './get-whole.ts';
import { type LogReader, openLog, readLog } from './read-log.ts';

const pollMs = 500;

/** What stands here of a task run, whether it comes with its run or alone. */
export type LoggedTask = Pick<
  RunTaskDocument,
  'run_id' | 'task_key' | 'start_time' | 'state' | 'for_each_task'
>;

/** The run itself, or the one that a task run is of. */
export function runIdOf(run: RunDocument): number {
  return run.job_run_id ?? run.run_id;
}

interface LogsToFollow {
  readonly runId: number;
  readonly output: Output;
  readonly choose: (run: RunDocument) => Promise<readonly LoggedTask[]>;
  readonly isOver: (run: RunDocument, tasks: readonly LoggedTask[]) => boolean;
}

/** Tasks may run side by side and be tried again: each whole line carries its task's name, new attempts join in. */
export async function followLogs(
  context: CliContext,
  client: Client,
  { runId, output, choose, isOver }: LogsToFollow,
): Promise<void> {
  const open = new Map<number, { reader: LogReader; writer: LineWriter }>();
  while (!context.interrupted.aborted) {
    const run = await getWholeRun(client, runId);
    const tasks = await choose(run);
    for (const task of tasks.filter(({ start_time }) => start_time > 0)) {
      const prefix = tasks.length > 1 ? `[${task.task_key}] ` : '';
      const log = open.get(task.run_id) ?? {
        reader: openLog(runIdOf(run), task.run_id),
        writer: createLineWriter(output, prefix),
      };
      open.set(task.run_id, log);
    }
    // Also those of earlier attempts: a retry may begin before their end was read.
    for (const { reader, writer } of open.values()) {
      if (reader.ended) continue;
      await readLog(client, reader, writer.text);
      if (reader.ended) writer.end();
    }
    if (isOver(run, tasks) && [...open.values()].every(({ reader }) => reader.ended)) return;
    await context.clock.sleep(pollMs, context.interrupted);
  }
}

export interface LineWriter {
  text(chunk: string): void;
  /** Closes a last line that had no end. */
  end(): void;
}

export function createLineWriter(output: Output, prefix: string): LineWriter {
  let pending = '';
  let midLine = false;
  return {
    text(chunk) {
      if (prefix === '') {
        output.write(chunk);
        midLine = !chunk.endsWith('\n');
        return;
      }
      const lines = (pending + chunk).split('\n');
      pending = lines.pop() ?? '';
      for (const line of lines) output.write(`${prefix}${line}\n`);
    },
    end() {
      if (pending !== '') output.write(`${prefix}${pending}\n`);
      else if (midLine) output.write('\n');
      pending = '';
      midLine = false;
    },
  };
}
