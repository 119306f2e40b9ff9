/** `headrace runs cancel-all` */
import { Command } from 'commander';
import type { CliContext } from '../../cli-context.ts';
import { CommandError, exitCodes } from '../../command-error.ts';
import { addConnectionOptions, type ConnectionOptions, connect } from '../../connection.ts';
import { addOutputOption, type OutputOptions, printDocument } from '../../output/print.ts';
import { findJobId } from '../../runs/get-whole.ts';
import { example } from '../example.ts';
import { parseId } from '../parse-options.ts';

interface Options extends ConnectionOptions, OutputOptions {
  readonly job?: string;
  readonly jobId?: number;
  readonly queued?: boolean;
}

export function createRunsCancelAllCommand(context: CliContext): Command {
  const command = new Command('cancel-all')
    .description('ask all runs of a job to stop, queued ones too, or all queued runs of every job')
    .option('--job <job>', 'the job, by id or exact name')
    .option('--job-id <id>', 'the job, by id', parseId)
    .option('--queued', 'only queued runs; without a job: those of every job')
    .addHelpText('after', example('runs cancel-all --job flights_daily', 'runs cancel-all --queued'))
    .action(async (options: Options) => {
      const named = options.job ?? options.jobId?.toString();
      if (named === undefined && !options.queued) {
        throw new CommandError('which runs are to stop?', {
          exitCode: exitCodes.usage,
          cure: 'name a job with --job or --job-id, or say --queued for the queued runs of every job',
        });
      }
      const client = await connect(context, options);
      const jobId = named === undefined ? undefined : await findJobId(client, named);
      const answer = await client.runsCancelAll({ job_id: jobId, all_queued_runs: options.queued });
      printDocument(context, options, answer, () => `${describe(jobId, options)} were asked to stop`);
    });
  return addOutputOption(addConnectionOptions(command));
}

function describe(jobId: number | undefined, { queued }: Options): string {
  const which = queued ? 'all queued runs' : 'all runs';
  return `${which} of ${jobId === undefined ? 'every job' : `job ${jobId}`}`;
}
