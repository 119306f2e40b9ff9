/** `headrace bundle run` */
import type { Client } from '@headrace/api';
import { type ResolvedBundle, readDeployment } from '@headrace/bundle';
import { Command } from 'commander';
import type { CliContext } from '../../cli-context.ts';
import { CommandError, exitCodes } from '../../command-error.ts';
import { addOutputOption, note, type OutputOptions, printDocument } from '../../output/print.ts';
import { followRun } from '../../runs/follow-run.ts';
import { example } from '../example.ts';
import { addStartOptions, type StartOptions, toStartFields } from '../run-options.ts';
import { addBundleOptions, type BundleOptions, openBundle } from './open-bundle.ts';

interface Options extends BundleOptions, OutputOptions, StartOptions {
  readonly wait: boolean;
}

export function createBundleRunCommand(context: CliContext): Command {
  const command = new Command('run')
    .description('run a deployed job of the bundle and wait for it; exit code 1 if the run does not succeed')
    .argument('[key]', 'key of the job in the bundle; may be left out when there is one job')
    .option('--no-wait', 'return as soon as the run is started')
    .addHelpText(
      'after',
      example(
        'bundle run flights_daily --param run_date=2013-01-02',
        'bundle run flights_daily --only silver+',
      ),
    )
    .action(async (key: string | undefined, options: Options) => {
      const { bundle, client } = await openBundle(context, options);
      const jobKey = chooseJob(bundle, key);
      const jobId = await findDeployedJob(bundle, client, jobKey);
      const started = await client.jobsRunNow({ job_id: jobId, ...toStartFields(options) });
      if (!options.wait) {
        printDocument(context, options, started, () => `run ${started.run_id} of ${jobKey} started`);
        return;
      }
      note(context, `run ${started.run_id} of ${jobKey} started`);
      await followRun(context, client, started.run_id, options);
    });
  return addOutputOption(addBundleOptions(addStartOptions(command)));
}

function chooseJob(bundle: ResolvedBundle, key: string | undefined): string {
  const keys = bundle.jobs.map((job) => job.key);
  const [only] = keys;
  if (key === undefined && only !== undefined && keys.length === 1) return only;
  if (key !== undefined && keys.includes(key)) return key;
  throw new CommandError(key === undefined ? 'which job is to run?' : `the bundle has no job ${key}`, {
    exitCode: key === undefined ? exitCodes.usage : exitCodes.notFound,
    cure: `its jobs are ${keys.join(', ') || '(none)'}`,
  });
}

async function findDeployedJob(bundle: ResolvedBundle, client: Client, key: string): Promise<number> {
  const { state, remotes } = await readDeployment(bundle, client);
  const recorded = state.resources[`jobs.${key}`];
  if (recorded !== undefined && remotes.has(`jobs.${key}`)) return Number(recorded.id);
  throw new CommandError(`job ${key} is not deployed to target ${bundle.target}`, {
    exitCode: exitCodes.notFound,
    cure: `deploy it with \`headrace bundle deploy -t ${bundle.target}\``,
  });
}
