/** `headrace runs get` */
import { ApiError, type Client, ForEachTask, type RunDocument } from '@headrace/api';
import { Command } from 'commander';
import type { CliContext } from '../../cli-context.ts';
import { addConnectionOptions, type ConnectionOptions, connect } from '../../connection.ts';
import { formatFields } from '../../output/format-table.ts';
import { formatDuration, formatInstant } from '../../output/format-time.ts';
import { addOutputOption, type OutputOptions, printDocument } from '../../output/print.ts';
import { formatIterations, formatRepairs, formatTasks } from '../../runs/format-tasks.ts';
import { getWholeRun } from '../../runs/get-whole.ts';
import { describeState, elapsedMs, isSkipped, isWaiting } from '../../runs/run-words.ts';
import { latestAttempts } from '../../runs/task-runs.ts';
import { example } from '../example.ts';
import { parseId } from '../parse-options.ts';

type Options = ConnectionOptions & OutputOptions;

/** One request each; `runs why` tells of the others. */
const reasonsShown = 20;

export function createRunsGetCommand(context: CliContext): Command {
  const command = new Command('get')
    .description('show one run: its tasks, why some were skipped, its repairs; or the run of one task')
    .argument('<run>', 'id of the run, or of the run of one task', parseId)
    .addHelpText('after', example('runs get 2077', 'runs get 2077 -o json'))
    .action(async (runId: number, options: Options) => {
      const client = await connect(context, options);
      const run = await getWholeRun(client, runId, { hasHistory: true });
      if (options.output === 'json') return printDocument(context, options, run, () => '');
      const parent = await describeParent(client, run);
      const reasons = await readReasons(client, run);
      const text = formatRun(run, { nowMs: context.clock.nowMs(), parent, reasons });
      printDocument(context, options, run, () => text);
    });
  return addOutputOption(addConnectionOptions(command));
}

interface Surroundings {
  readonly nowMs: number;
  readonly parent: string | undefined;
  readonly reasons: readonly string[];
}

function formatRun(run: RunDocument, { nowMs, parent, reasons }: Surroundings): string {
  const elapsed = elapsedMs(run, nowMs);
  const fields = formatFields([
    ['run', String(run.run_id)],
    ['name', run.run_name],
    ['job', run.job_id === undefined ? '-' : String(run.job_id)],
    ...(parent === undefined ? [] : [['started by', parent] as const]),
    ['state', describeState(run.state)],
    // The newer form says more: the exception's last line.
    ['message', run.status.termination_details?.message || run.state.state_message || '-'],
    ['started', formatInstant(run.start_time)],
    ['duration', elapsed === undefined ? '-' : formatDuration(elapsed)],
    ['page', run.run_page_url],
  ]);
  const parts = run.iterations
    ? formatIterations(readInputs(run), run.iterations, nowMs)
    : formatTasks(run, nowMs);
  const repairs = formatRepairs(run.repair_history ?? [], nowMs);
  return [fields, parts, reasons.join('\n'), repairs].filter((text) => text !== '').join('\n\n');
}

/** The run of one task has the fields of a task, too. */
function readInputs(run: RunDocument): unknown {
  const forEach = ForEachTask.safeParse(run.for_each_task);
  return forEach.success ? forEach.data.inputs : undefined;
}

/** Of a run that a task of another run started. */
async function describeParent(client: Client, run: RunDocument): Promise<string | undefined> {
  const id = run.trigger_info?.run_id;
  if (id === undefined) return undefined;
  const task = await unlessRefused(client.runsGet({ run_id: id }));
  return task === undefined ? `task run ${id}` : `task ${task.run_name} of run ${task.job_run_id ?? id}`;
}

/** Why the run waits, and each task that was skipped was. */
async function readReasons(client: Client, run: RunDocument): Promise<string[]> {
  const skipped = latestAttempts(run.tasks ?? []).filter(({ state }) => isSkipped(state));
  const asked = [
    ...(isWaiting(run.state) ? [{ run_id: run.run_id }] : []),
    ...skipped.map(({ task_key }) => ({ run_id: run.run_id, task_key })),
  ];
  const answers = await Promise.all(
    asked.slice(0, reasonsShown).map((request) => unlessRefused(client.runsWhy(request))),
  );
  const sentences = answers.flatMap((why) => (why === undefined ? [] : [why.sentence]));
  const rest = asked.length - reasonsShown;
  return rest > 0
    ? [...sentences, `… and ${rest} more: \`headrace runs why ${run.run_id} --task KEY\``]
    : sentences;
}

/** The reason is an extra: a server that has none to give must not hide the run. */
async function unlessRefused<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof ApiError) return undefined;
    throw error;
  }
}
