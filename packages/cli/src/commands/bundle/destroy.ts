/** `headrace bundle destroy` */
import { destroyBundle, foldersOf, readDeployment } from '@headrace/bundle';
import { Command } from 'commander';
import type { CliContext } from '../../cli-context.ts';
import { count } from '../../output/count.ts';
import { note, print } from '../../output/print.ts';
import { approve } from '../approve.ts';
import { example } from '../example.ts';
import { addLockOption, type LockFlags, lockFor } from './lock.ts';
import { addBundleOptions, type BundleOptions, openBundle } from './open-bundle.ts';

interface Options extends BundleOptions, LockFlags {
  readonly autoApprove?: boolean;
}

export function createBundleDestroyCommand(context: CliContext): Command {
  const command = new Command('destroy')
    .description('delete what the bundle deployed: jobs, files, all versions; tables that jobs made stay')
    .option('--auto-approve', 'do not ask')
    .addHelpText('after', example('bundle destroy -t dev --auto-approve'))
    .action(async (options: Options) => {
      const { bundle, client } = await openBundle(context, options);
      const deployed = await readDeployment(bundle, client);
      if (!deployed.exists) {
        print(context, `nothing of bundle ${bundle.name} is deployed to target ${bundle.target}`);
        return;
      }
      const resources = Object.keys(deployed.state.resources).length;
      await approve(
        context,
        `This deletes ${count(resources, 'resource')} and, with all that is in them: ${foldersOf(bundle).join(', ')}.`,
        options,
      );
      const lock = await lockFor(context, options, 'destroy');
      const destroyed = await destroyBundle(bundle, deployed, client, lock);
      for (const { resource, name, id } of destroyed.resources)
        print(context, `deleted ${resource} "${name}", id ${id}`);
      for (const { resource, name, reason } of destroyed.left)
        note(context, `left ${resource} "${name}": ${reason}`);
      for (const folder of destroyed.folders) print(context, `deleted ${folder}`);
    });
  return addLockOption(addBundleOptions(command));
}
