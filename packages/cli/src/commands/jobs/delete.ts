/** `headrace jobs delete` */
import { Command } from 'commander';
import type { CliContext } from '../../cli-context.ts';
import { addConnectionOptions, type ConnectionOptions, connect } from '../../connection.ts';
import { addOutputOption, type OutputOptions, printDocument } from '../../output/print.ts';
import { findJobId } from '../../runs/get-whole.ts';
import { approve } from '../approve.ts';
import { example } from '../example.ts';
import { addJobArgument, chooseJob, type JobOptions } from './job-argument.ts';

interface Options extends ConnectionOptions, OutputOptions, JobOptions {
  readonly autoApprove?: boolean;
}

export function createJobsDeleteCommand(context: CliContext): Command {
  const command = addJobArgument(
    new Command('delete').description(
      'delete a job and cancel its runs; what they left stays to be looked at',
    ),
  )
    .option('--auto-approve', 'do not ask')
    .addHelpText('after', example('jobs delete 1042'))
    .action(async (text: string | undefined, options: Options) => {
      const client = await connect(context, options);
      const jobId = await findJobId(client, chooseJob(text, options));
      const { settings } = await client.jobsGet({ job_id: jobId });
      const warning = `This deletes job ${jobId}, "${settings.name ?? ''}", and cancels its active runs.`;
      await approve(context, warning, options);
      const answer = await client.jobsDelete({ job_id: jobId });
      printDocument(context, options, answer, () => `job ${jobId} is deleted`);
    });
  return addOutputOption(addConnectionOptions(command));
}
