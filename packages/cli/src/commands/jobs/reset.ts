/** `headrace jobs reset` */
import { Command } from 'commander';
import type { CliContext } from '../../cli-context.ts';
import { addConnectionOptions, type ConnectionOptions, connect } from '../../connection.ts';
import { addOutputOption, type OutputOptions, printDocument } from '../../output/print.ts';
import { findJobId } from '../../runs/get-whole.ts';
import { example } from '../example.ts';
import { addJobArgument, chooseJob, type JobOptions } from './job-argument.ts';
import { readJsonFile } from './read-json-file.ts';

interface Options extends ConnectionOptions, OutputOptions, JobOptions {
  readonly jsonFile: string;
}

export function createJobsResetCommand(context: CliContext): Command {
  const command = addJobArgument(new Command('reset').description('replace the settings of a job'))
    .requiredOption('--json-file <file>', 'the new settings, as JSON')
    .addHelpText('after', example('jobs reset 1042 --json-file linear.json'))
    .action(async (text: string | undefined, options: Options) => {
      const document = await readJsonFile(context, options.jsonFile);
      const client = await connect(context, options);
      const jobId = await findJobId(client, chooseJob(text, options));
      const answer = await client.jobsReset({ job_id: jobId, new_settings: document });
      printDocument(context, options, answer, () => `the settings of job ${jobId} were replaced`);
    });
  return addOutputOption(addConnectionOptions(command));
}
