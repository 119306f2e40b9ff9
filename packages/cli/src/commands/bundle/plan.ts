/** `headrace bundle plan` */
import { toPlanDocument } from '@headrace/bundle';
import { Command } from 'commander';
import type { CliContext } from '../../cli-context.ts';
import { addOutputOption, type OutputOptions, printDocument } from '../../output/print.ts';
import { example } from '../example.ts';
import { addBundleOptions, type BundleOptions, openBundle } from './open-bundle.ts';
import { addDriftOption, type PlanningOptions, planDeployment, showPlan } from './plan-deployment.ts';

type Options = BundleOptions & OutputOptions & Pick<PlanningOptions, 'drift'>;

export function createBundlePlanCommand(context: CliContext): Command {
  const command = new Command('plan')
    .description('show what a deploy would change, and change nothing')
    .addHelpText('after', example('bundle plan -t prod', 'bundle plan -t prod -o json > plan.json'))
    .action(async (options: Options) => {
      const plan = await planDeployment(context, await openBundle(context, options), options);
      printDocument(context, options, toPlanDocument(plan), () => showPlan(context, plan));
    });
  return addOutputOption(addDriftOption(addBundleOptions(command)));
}
