/** `headrace bundle plan` */
import { Command } from 'commander';
import type { CliContext } from '../../cli-context.ts';
import { addOutputOption, type OutputOptions, printDocument } from '../../output/print.ts';
import { example } from '../example.ts';
import { addBundleOptions, type BundleOptions, openBundle } from './open-bundle.ts';
import { formatPlan, planDeployment, toPlanDocument } from './plan-deployment.ts';

type Options = BundleOptions & OutputOptions;

export function createBundlePlanCommand(context: CliContext): Command {
  const command = new Command('plan')
    .description('show what a deploy would change, and change nothing')
    .addHelpText('after', example('bundle plan -t prod'))
    .action(async (options: Options) => {
      const plan = await planDeployment(context, await openBundle(context, options));
      printDocument(context, options, toPlanDocument(plan), () => formatPlan(plan));
    });
  return addOutputOption(addBundleOptions(command));
}
