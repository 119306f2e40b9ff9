import { Command } from 'commander';
import type { CliContext } from '../../cli-context.ts';
import { example } from '../example.ts';
import { createBundleDeployCommand } from './deploy.ts';
import { createBundleDestroyCommand } from './destroy.ts';
import { createBundlePlanCommand } from './plan.ts';
import { createBundleRunCommand } from './run.ts';
import { createBundleSummaryCommand } from './summary.ts';
import { createBundleValidateCommand } from './validate.ts';

export function createBundleCommand(context: CliContext): Command {
  return new Command('bundle')
    .description('jobs, files and wheels described by a databricks.yml')
    .addHelpText('after', example('bundle validate', 'bundle deploy && headrace bundle run flights_daily'))
    .addCommand(createBundleValidateCommand(context))
    .addCommand(createBundlePlanCommand(context))
    .addCommand(createBundleDeployCommand(context))
    .addCommand(createBundleRunCommand(context))
    .addCommand(createBundleSummaryCommand(context))
    .addCommand(createBundleDestroyCommand(context));
}
