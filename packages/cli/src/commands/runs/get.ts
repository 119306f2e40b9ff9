/** `headrace runs get` */
import type { RunDocument } from '@headrace/api';
import { Command } from 'commander';
import type { CliContext } from '../../cli-context.ts';
import { addConnectionOptions, type ConnectionOptions, connect } from '../../connection.ts';
import { formatFields } from '../../output/format-table.ts';
import { formatDuration, formatInstant } from '../../output/format-time.ts';
import { addOutputOption, type OutputOptions, printDocument } from '../../output/print.ts';
import { formatTasks } from '../../runs/follow-run.ts';
import { getWholeRun } from '../../runs/get-whole.ts';
import { describeState, elapsedMs } from '../../runs/run-words.ts';
import { example } from '../example.ts';
import { parseId } from '../parse-options.ts';

type Options = ConnectionOptions & OutputOptions;

export function createRunsGetCommand(context: CliContext): Command {
  const command = new Command('get')
    .description('show one run and its tasks')
    .argument('<run>', 'id of the run', parseId)
    .addHelpText('after', example('runs get 2077', 'runs get 2077 -o json'))
    .action(async (runId: number, options: Options) => {
      const client = await connect(context, options);
      const run = await getWholeRun(client, runId);
      printDocument(context, options, run, () => formatRun(run, context.clock.nowMs()));
    });
  return addOutputOption(addConnectionOptions(command));
}

function formatRun(run: RunDocument, nowMs: number): string {
  const elapsed = elapsedMs(run, nowMs);
  const fields = formatFields([
    ['run', String(run.run_id)],
    ['name', run.run_name],
    ['job', run.job_id === undefined ? '-' : String(run.job_id)],
    ['state', describeState(run.state)],
    ['message', run.state.state_message || '-'],
    ['started', formatInstant(run.start_time)],
    ['duration', elapsed === undefined ? '-' : formatDuration(elapsed)],
    ['page', run.run_page_url],
  ]);
  return `${fields}\n\n${formatTasks(run, nowMs)}`;
}
