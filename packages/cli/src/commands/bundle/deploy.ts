/** `headrace bundle deploy` */
import { deployBundle, type Plan } from '@headrace/bundle';
import { Command } from 'commander';
import type { CliContext } from '../../cli-context.ts';
import { count } from '../../output/count.ts';
import { note, print } from '../../output/print.ts';
import { approve } from '../approve.ts';
import { example } from '../example.ts';
import { addBundleOptions, type BundleOptions, openBundle } from './open-bundle.ts';
import { formatStep, planDeployment } from './plan-deployment.ts';

interface Options extends BundleOptions {
  readonly autoApprove?: boolean;
}

export function createBundleDeployCommand(context: CliContext): Command {
  const command = new Command('deploy')
    .description('make the server hold what the bundle says: files, wheels, jobs')
    .option('--auto-approve', 'do not ask before jobs are deleted that the bundle no longer has')
    .addHelpText('after', example('bundle deploy', 'bundle deploy -t prod --var catalog=main'))
    .action(async (options: Options) => {
      const open = await openBundle(context, options);
      const plan = await planDeployment(context, open);
      await approve(context, describeDeletes(plan), options);
      await deployBundle(plan, open.client, { onStep: (step) => note(context, formatStep(step)) });
      const { name, target, jobs } = open.bundle;
      const state = plan.hasChanges ? 'deployed' : 'unchanged';
      print(context, `${state}: bundle ${name}, target ${target}, ${count(jobs.length, 'job')}`);
    });
  return addBundleOptions(command);
}

function describeDeletes(plan: Plan): string | undefined {
  const deleted = plan.actions.filter(({ action }) => action === 'delete').map(({ name }) => `"${name}"`);
  return deleted.length === 0 ? undefined : `This deletes the jobs ${deleted.join(', ')}.`;
}
