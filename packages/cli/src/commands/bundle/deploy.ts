/** `headrace bundle deploy` */
import { deployBundle } from '@headrace/bundle';
import { Command } from 'commander';
import type { CliContext } from '../../cli-context.ts';
import { count } from '../../output/count.ts';
import { note, print } from '../../output/print.ts';
import { approve } from '../approve.ts';
import { example } from '../example.ts';
import { addBundleOptions, type BundleOptions, openBundle } from './open-bundle.ts';
import {
  addDriftOption,
  describeDeletes,
  formatStep,
  type PlanningOptions,
  planDeployment,
} from './plan-deployment.ts';

interface Options extends BundleOptions, PlanningOptions {
  readonly autoApprove?: boolean;
}

export function createBundleDeployCommand(context: CliContext): Command {
  const command = new Command('deploy')
    .description('make the server hold what the bundle says: files, wheels, jobs')
    .option('--auto-approve', 'do not ask before something is deleted that the bundle no longer has')
    .option(
      '--plan <file>',
      'do exactly what `plan -o json` wrote there, or nothing if the world has moved since',
    )
    .addHelpText('after', example('bundle deploy', 'bundle deploy -t prod --var catalog=main'))
    .action(async (options: Options) => {
      const open = await openBundle(context, options);
      const plan = await planDeployment(context, open, options);
      await approve(context, describeDeletes(plan), options);
      await deployBundle(plan, open.client, { onStep: (step) => note(context, formatStep(step)) });
      const { name, target, jobs } = open.bundle;
      const state = plan.hasChanges ? 'deployed' : 'unchanged';
      print(context, `${state}: bundle ${name}, target ${target}, ${count(jobs.length, 'job')}`);
    });
  return addDriftOption(addBundleOptions(command));
}
