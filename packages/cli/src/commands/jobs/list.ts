/** `headrace jobs list` */
import { jobsListLimitDefault, jobsListLimitMax } from '@headrace/api';
import { Command } from 'commander';
import type { CliContext } from '../../cli-context.ts';
import { addConnectionOptions, type ConnectionOptions, connect } from '../../connection.ts';
import { formatInstant } from '../../output/format-time.ts';
import { addOutputOption, note, type OutputOptions, printTable } from '../../output/print.ts';
import { example } from '../example.ts';
import { parseLimit } from '../parse-options.ts';

interface Options extends ConnectionOptions, OutputOptions {
  readonly name?: string;
  readonly limit: number;
  readonly pageToken?: string;
}

export function createJobsListCommand(context: CliContext): Command {
  const command = new Command('list')
    .description('list jobs, newest first')
    .option('--name <name>', 'only jobs of exactly this name')
    .option('--limit <count>', 'rows to show', parseLimit(jobsListLimitMax), jobsListLimitDefault)
    .option('--page-token <token>', 'go on where an earlier page ended')
    .addHelpText('after', example('jobs list --limit 50'))
    .action(async (options: Options) => {
      const client = await connect(context, options);
      const { name, limit, pageToken } = options;
      const page = await client.jobsList({ name, limit, page_token: pageToken });
      printTable(context, options, page, () => ({
        columns: ['id', 'name', 'owner', 'created'],
        rows: (page.jobs ?? []).map((job) => [
          String(job.job_id),
          job.settings.name ?? '-',
          job.creator_user_name ?? '-',
          formatInstant(job.created_time),
        ]),
        empty: 'no jobs; `headrace bundle deploy` makes those of a bundle',
      }));
      if (options.output === 'table' && page.next_page_token) {
        note(context, `more: headrace jobs list --page-token ${page.next_page_token}`);
      }
    });
  return addOutputOption(addConnectionOptions(command));
}
