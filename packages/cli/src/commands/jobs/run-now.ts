/** `headrace jobs run-now` */
import { Command } from 'commander';
import type { CliContext } from '../../cli-context.ts';
import { addConnectionOptions, type ConnectionOptions, connect } from '../../connection.ts';
import { addOutputOption, note, type OutputOptions, printDocument } from '../../output/print.ts';
import { followRun } from '../../runs/follow-run.ts';
import { findJobId } from '../../runs/get-whole.ts';
import { example } from '../example.ts';
import { addStartOptions, type StartOptions, toStartFields } from '../run-options.ts';
import { addJobArgument, chooseJob, type JobOptions } from './job-argument.ts';

interface Options extends ConnectionOptions, OutputOptions, StartOptions, JobOptions {
  readonly wait: boolean;
}

export function createJobsRunNowCommand(context: CliContext): Command {
  const command = addJobArgument(
    new Command('run-now').description('run a job and wait for it; exit code 1 if the run does not succeed'),
  )
    .option('--no-wait', 'return as soon as the run is started')
    .addHelpText(
      'after',
      example(
        'jobs run-now flights_daily --param run_date=2013-01-02',
        'jobs run-now flights_daily --only silver+',
      ),
    )
    .action(async (text: string | undefined, options: Options) => {
      const client = await connect(context, options);
      const jobId = await findJobId(client, chooseJob(text, options));
      const started = await client.jobsRunNow({ job_id: jobId, ...toStartFields(options) });
      if (!options.wait) {
        printDocument(context, options, started, () => `run ${started.run_id} of job ${jobId} started`);
        return;
      }
      note(context, `run ${started.run_id} of job ${jobId} started`);
      await followRun(context, client, started.run_id, options);
    });
  return addOutputOption(addConnectionOptions(addStartOptions(command)));
}
