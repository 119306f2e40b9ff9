/** Waits for a run, telling each change of each task, and then how it ended. */
import type { Client, RunDocument, RunTaskDocument } from '@headrace/api';
import type { CliContext } from '../cli-context.ts';
import { CommandError, exitCodes } from '../command-error.ts';
import { formatClock, formatDuration } from '../output/format-time.ts';
import { note, type OutputOptions, printDocument } from '../output/print.ts';
import { styleText, type Tone } from '../output/style-text.ts';
import { describeWork } from './describe-work.ts';
import { followLogs } from './follow-logs.ts';
import { formatTasks } from './format-tasks.ts';
import { getWholeRun } from './get-whole.ts';
import { describeState, elapsedMs, hasEnded, hasSucceeded } from './run-words.ts';
import { latestAttempts, withoutIterations } from './task-runs.ts';
import { watchRun } from './watch-run.ts';

/** Of a traceback; the whole of it is in the log. */
const traceLinesShown = 15;
/** More would hide the table; the API has them all. */
const resultsShown = 10;
const resultCharsShown = 300;

interface FollowOptions {
  /** Task runs as they are known already: only what comes after is news. */
  readonly known?: readonly RunTaskDocument[];
  /** Prints what tasks print, on standard error like all that is told on the way. */
  readonly showsLogs?: boolean;
}

/** Throws, with exit code 1, when the run did not succeed. */
export async function followRun(
  context: CliContext,
  client: Client,
  runId: number,
  options: OutputOptions,
  { known = [], showsLogs = false }: FollowOptions = {},
): Promise<void> {
  const told = new Map(known.map((task) => [task.run_id, newsOf(task)]));
  const logs = showsLogs ? followRunLogs(context, client, runId) : undefined;
  for await (const { tasks } of watchRun(client, {
    runId,
    clock: context.clock,
    signal: context.interrupted,
  })) {
    for (const task of withoutIterations(tasks)) tellTask(context, task, told);
  }
  if (context.interrupted.aborted) {
    throw new CommandError(`stopped watching; run ${runId} goes on`, {
      exitCode: exitCodes.failed,
      cure: `\`headrace runs get ${runId}\` shows it, \`headrace runs cancel ${runId}\` stops it`,
    });
  }
  await logs;
  await finishRun(context, client, await getWholeRun(client, runId), options);
}

/** A log that cannot be read is told, and spoils nothing else. */
async function followRunLogs(context: CliContext, client: Client, runId: number): Promise<void> {
  try {
    await followLogs(context, client, {
      runId,
      output: context.stderr,
      choose: async ({ tasks }) => latestAttempts(tasks ?? []),
      isOver: ({ state }) => hasEnded(state),
    });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    note(context, `no more log lines: ${message}; \`headrace runs logs ${runId}\` has them`);
  }
}

async function finishRun(
  context: CliContext,
  client: Client,
  run: RunDocument,
  options: OutputOptions,
): Promise<void> {
  const failures = hasSucceeded(run.state) ? [] : await describeFailures(client, run);
  for (const text of failures) note(context, text);
  const results = options.output === 'table' ? await readResults(client, run) : [];
  printDocument(context, options, run, () =>
    [formatTasks(run, context.clock.nowMs()), '', ...results, summarizeRun(context, run)].join('\n'),
  );
  if (hasSucceeded(run.state)) return;
  throw new CommandError(`run ${run.run_id} ${describeState(run.state)}`, {
    exitCode: exitCodes.failed,
    cure: `\`headrace runs logs ${run.run_id}\` shows what its tasks printed`,
  });
}

/** One line for each change of state: `11:24:05  silver  running`. */
function tellTask(context: CliContext, task: RunTaskDocument, told: Map<number, string>): void {
  const news = newsOf(task);
  if (told.get(task.run_id) === news) return;
  told.set(task.run_id, news);
  // Waiting for others is no news.
  if (task.state.life_cycle_state === 'BLOCKED' || task.state.life_cycle_state === 'QUEUED') return;
  const nowMs = context.clock.nowMs();
  const elapsed = hasEnded(task.state) ? elapsedMs(task, nowMs) : undefined;
  const attempt = task.attempt_number > 0 ? ` (attempt ${task.attempt_number + 1})` : '';
  const duration = elapsed === undefined ? '' : `  ${formatDuration(elapsed)}`;
  const work = describeWork(task);
  const state = styleText(context, context.stderr, describeState(task.state), toneOf(task));
  const line = `${task.task_key.padEnd(20)}  ${state}${attempt}${duration}${work === '' ? '' : `  ${work}`}`;
  note(context, `${formatClock(nowMs)}  ${line}`);
}

/** A for-each of thousands is told in so many lines, and once more when the first iteration fails. */
const progressSteps = 10;

function newsOf(task: RunTaskDocument): string {
  const words = describeState(task.state);
  const stats = task.for_each_task?.stats?.task_run_stats;
  if (hasEnded(task.state) || stats === undefined || stats.total_iterations === 0) return words;
  const step = Math.floor((stats.completed_iterations * progressSteps) / stats.total_iterations);
  return `${words} ${step}${stats.failed_iterations > 0 ? ' failed' : ''}`;
}

function toneOf(task: RunTaskDocument): Tone {
  if (hasSucceeded(task.state)) return 'good';
  return ['FAILED', 'TIMEDOUT'].includes(task.state.result_state ?? '') ? 'bad' : 'quiet';
}

function summarizeRun(context: CliContext, run: RunDocument): string {
  const elapsed = elapsedMs(run, context.clock.nowMs());
  const duration = elapsed === undefined ? '' : ` in ${formatDuration(elapsed)}`;
  return `run ${run.run_id} ${describeState(run.state)}${duration}: ${run.run_page_url}`;
}

/** What notebooks returned by `dbutils.notebook.exit`. */
async function readResults(client: Client, run: RunDocument): Promise<string[]> {
  const notebooks = latestAttempts(run.tasks ?? []).filter((task) => {
    return task.notebook_task !== undefined && hasSucceeded(task.state);
  });
  const results = await Promise.all(
    notebooks.slice(0, resultsShown).map(async ({ run_id, task_key }) => {
      const result = (await client.runsGetOutput({ run_id })).notebook_output?.result;
      if (!result) return [];
      const shown = result.length > resultCharsShown ? `${result.slice(0, resultCharsShown)}…` : result;
      return [`${task_key} returned: ${shown}`];
    }),
  );
  return results.flat();
}

/** What each failed task said: its error, and the end of its traceback. */
async function describeFailures(client: Client, run: RunDocument): Promise<string[]> {
  const failed = latestAttempts(run.tasks ?? []).filter((task) => {
    return ['FAILED', 'TIMEDOUT'].includes(task.state.result_state ?? '');
  });
  return Promise.all(failed.map((task) => describeFailure(client, run, task)));
}

async function describeFailure(client: Client, run: RunDocument, task: RunTaskDocument): Promise<string> {
  const output = await client.runsGetOutput({ run_id: task.run_id }).catch(() => undefined);
  const message = output?.error ?? task.state.state_message ?? 'no message';
  const trace = (output?.error_trace ?? '').trimEnd().split('\n').slice(-traceLinesShown).join('\n');
  const lines = [`\ntask ${task.task_key} ${describeState(task.state)}: ${message}`];
  if (trace !== '') lines.push(trace);
  if (task.for_each_task)
    lines.push(`\`headrace runs iterations ${run.run_id} --task ${task.task_key} --failed\` lists them`);
  const child = task.run_job_task?.run_id;
  if (child !== undefined) lines.push(`\`headrace runs get ${child}\` shows the run that it started`);
  return `${lines.join('\n')}\n`;
}
