/** `headrace runs list` */
import { runsListLimitDefault, runsListLimitMax } from '@headrace/api';
import { Command } from 'commander';
import type { CliContext } from '../../cli-context.ts';
import { addConnectionOptions, type ConnectionOptions, connect } from '../../connection.ts';
import { formatDuration, formatInstant } from '../../output/format-time.ts';
import { addOutputOption, note, type OutputOptions, printTable } from '../../output/print.ts';
import { findJobId } from '../../runs/get-whole.ts';
import { describeState, elapsedMs } from '../../runs/run-words.ts';
import { example } from '../example.ts';
import { parseLimit } from '../parse-options.ts';

interface Options extends ConnectionOptions, OutputOptions {
  readonly job?: string;
  readonly active?: boolean;
  readonly limit: number;
  readonly pageToken?: string;
}

export function createRunsListCommand(context: CliContext): Command {
  const command = new Command('list')
    .description('list runs, newest first')
    .option('--job <job>', 'only runs of this job, given by id or exact name')
    .option('--active', 'only runs that have not ended')
    .option('--limit <count>', 'rows to show', parseLimit(runsListLimitMax), runsListLimitDefault)
    .option('--page-token <token>', 'go on where an earlier page ended')
    .addHelpText('after', example('runs list --job flights_daily --active'))
    .action(async (options: Options) => {
      const client = await connect(context, options);
      const { job, active, limit, pageToken } = options;
      const job_id = job === undefined ? undefined : await findJobId(client, job);
      const page = await client.runsList({ job_id, active_only: active, limit, page_token: pageToken });
      const nowMs = context.clock.nowMs();
      printTable(context, options, page, () => ({
        columns: ['id', 'name', 'state', 'started', 'duration'],
        rows: (page.runs ?? []).map((run) => {
          const elapsed = elapsedMs(run, nowMs);
          const duration = elapsed === undefined ? '-' : formatDuration(elapsed);
          return [
            String(run.run_id),
            run.run_name,
            describeState(run.state),
            formatInstant(run.start_time),
            duration,
          ];
        }),
        empty: 'no runs',
      }));
      if (options.output === 'table' && page.next_page_token) {
        note(context, `more: headrace runs list --page-token ${page.next_page_token}`);
      }
    });
  return addOutputOption(addConnectionOptions(command));
}
