/** `headrace bundle rollback` */
import { planRollback, type Rollback, rollbackBundle } from '@headrace/bundle';
import { Command } from 'commander';
import type { CliContext } from '../../cli-context.ts';
import { count } from '../../output/count.ts';
import { note, print } from '../../output/print.ts';
import { approve } from '../approve.ts';
import { example } from '../example.ts';
import { parseId } from '../parse-options.ts';
import { addLockOption, type LockFlags, lockFor } from './lock.ts';
import { addBundleOptions, type BundleOptions, openBundle } from './open-bundle.ts';
import { formatStep } from './plan-deployment.ts';

interface Options extends BundleOptions, LockFlags {
  readonly to?: number;
  readonly autoApprove?: boolean;
  readonly message?: string;
}

export function createBundleRollbackCommand(context: CliContext): Command {
  const command = new Command('rollback')
    .description('bring an earlier version back as a new one: its jobs, its files and what they use')
    .option('--to <version>', 'the version (default: the one before the current)', parseId)
    .option('--auto-approve', 'do not ask before something is deleted that was made since')
    .option('-m, --message <text>', 'kept with the version, for `bundle history`')
    .addHelpText('after', example('bundle rollback -t prod', 'bundle rollback -t prod --to 12'))
    .action(async (options: Options) => {
      const { bundle, client } = await openBundle(context, options);
      const rollback = await planRollback(bundle, client, options.to);
      await approve(context, describeDeletes(rollback), options);
      const { version } = await rollbackBundle(rollback, client, {
        ...(await lockFor(context, options, 'rollback')),
        ...(options.message === undefined ? {} : { message: options.message }),
        onStep: (step) => note(context, formatStep(step)),
      });
      const back = rollback.record.version;
      print(
        context,
        `bundle ${bundle.name}, target ${bundle.target}, is as version ${back} was; this is version ${version}`,
      );
    });
  return addLockOption(addBundleOptions(command));
}

function describeDeletes({ actions }: Rollback): string | undefined {
  const lost = actions.filter(({ action }) => action === 'delete' || action === 'recreate');
  if (lost.length === 0) return undefined;
  const named = lost.map(({ resource, name }) => `${resource} "${name}"`).join(', ');
  return `This deletes ${count(lost.length, 'resource')} that the version does not have so: ${named}.`;
}
