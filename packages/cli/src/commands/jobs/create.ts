/** `headrace jobs create` */
import { Command } from 'commander';
import type { CliContext } from '../../cli-context.ts';
import { addConnectionOptions, type ConnectionOptions, connect } from '../../connection.ts';
import { addOutputOption, type OutputOptions, printDocument } from '../../output/print.ts';
import { example } from '../example.ts';
import { readJsonFile } from './read-json-file.ts';

interface Options extends ConnectionOptions, OutputOptions {
  readonly jsonFile: string;
}

export function createJobsCreateCommand(context: CliContext): Command {
  const command = new Command('create')
    .description('make a job from a document of the Jobs API; bundles are the better way to keep jobs')
    .requiredOption('--json-file <file>', 'the settings of the job, as JSON')
    .addHelpText('after', example('jobs create --json-file linear.json'))
    .action(async (options: Options) => {
      const document = await readJsonFile(context, options.jsonFile);
      const client = await connect(context, options);
      const created = await client.jobsCreate(document);
      printDocument(context, options, created, () => `job ${created.job_id} created`);
    });
  return addOutputOption(addConnectionOptions(command));
}
