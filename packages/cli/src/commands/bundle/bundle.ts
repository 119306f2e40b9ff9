/** The commands of `headrace bundle`. */
import type { Command } from 'commander';
import type { CliContext } from '../../cli-context.ts';
import { createBundleDeployCommand } from './deploy.ts';
import { createBundleDeploymentCommand } from './deployment.ts';
import { createBundleDestroyCommand } from './destroy.ts';
import { createBundleGenerateCommand } from './generate.ts';
import { createBundleHistoryCommand } from './history.ts';
import { createBundleInitCommand } from './init.ts';
import { createBundleOpenCommand } from './open.ts';
import { createBundlePlanCommand } from './plan.ts';
import { createBundleRollbackCommand } from './rollback.ts';
import { createBundleRunCommand } from './run.ts';
import { createBundleSchemaCommand } from './schema.ts';
import { createBundleSummaryCommand } from './summary.ts';
import { createBundleSyncCommand } from './sync.ts';
import { createBundleValidateCommand } from './validate.ts';

export function createBundleCommands(context: CliContext): readonly Command[] {
  return [
    createBundleInitCommand(context),
    createBundleValidateCommand(context),
    createBundleSchemaCommand(context),
    createBundlePlanCommand(context),
    createBundleDeployCommand(context),
    createBundleRunCommand(context),
    createBundleSyncCommand(context),
    createBundleGenerateCommand(context),
    createBundleSummaryCommand(context),
    createBundleOpenCommand(context),
    createBundleHistoryCommand(context),
    createBundleRollbackCommand(context),
    createBundleDeploymentCommand(context),
    createBundleDestroyCommand(context),
  ];
}
