/** `headrace bundle deployment bind` and `unbind` */
import {
  bindResource,
  findResource,
  formatPlan,
  planBinding,
  planBundle,
  prepareBundle,
  readDeployment,
  unbindResource,
} from '@headrace/bundle';
import { Command } from 'commander';
import type { CliContext } from '../../cli-context.ts';
import { CommandError, exitCodes } from '../../command-error.ts';
import { print } from '../../output/print.ts';
import { approve } from '../approve.ts';
import { example } from '../example.ts';
import { addLockOption, type LockFlags, lockFor } from './lock.ts';
import { addBundleOptions, type BundleOptions, openBundle } from './open-bundle.ts';
import { findPython } from './plan-deployment.ts';

interface Options extends BundleOptions, LockFlags {
  readonly autoApprove?: boolean;
}

export function createBundleDeploymentCommand(context: CliContext): Command {
  return new Command('deployment')
    .description('tie what exists in the workspace to keys of the bundle')
    .addHelpText('after', example('bundle deployment bind orders 1042'))
    .addCommand(createBindCommand(context))
    .addCommand(createUnbindCommand(context));
}

function createBindCommand(context: CliContext): Command {
  const command = new Command('bind')
    .description(
      'make something that exists the resource of a key: the next deploy changes it, and makes no other',
    )
    .argument('<key>', 'key in the bundle, or kind.key where it has several of that key')
    .argument('<id>', 'id in the workspace')
    .option('--auto-approve', 'do not ask')
    .addHelpText('after', example('bundle deployment bind orders 1042'))
    .action(async (key: string, id: string, options: Options) => {
      const { bundle, client } = await openBundle(context, options);
      const resource = findResource(bundle, key);
      const deployed = await readDeployment(bundle, client);
      const binding = await planBinding(resource, id, { state: deployed.state, client });
      const state = {
        ...deployed.state,
        resources: { ...deployed.state.resources, [binding.resource]: binding.recorded },
      };
      const prepared = await prepareBundle(bundle, state, {
        python: await findPython(context),
        environment: context.settings.environment,
      });
      const remotes = new Map([...deployed.remotes, [binding.resource, binding.remote]]);
      const plan = planBundle(prepared, { ...deployed, state, remotes }, { drift: 'revert' });
      const own = plan.actions.filter((action) => action.resource === binding.resource);
      const shown = formatPlan({ ...plan, actions: own }, { paint: (text) => text });
      print(context, shown);
      await approve(
        context,
        `The next deploy does this to ${binding.resource}, which is ${binding.recorded.name} now.`,
        options,
      );
      await bindResource(bundle, binding, {
        client,
        lock: await lockFor(context, options, 'deployment bind'),
      });
      print(context, `${binding.resource} is ${id} now; \`headrace bundle deploy\` changes it`);
    });
  return addLockOption(addBundleOptions(command));
}

function createUnbindCommand(context: CliContext): Command {
  const command = new Command('unbind')
    .description('let a resource go: it stays in the workspace, and the bundle knows it no more')
    .argument('<key>', 'key in the bundle, or kind.key')
    .addHelpText('after', example('bundle deployment unbind orders'))
    .action(async (key: string, options: Options) => {
      const { bundle, client } = await openBundle(context, options);
      const { state } = await readDeployment(bundle, client);
      // It may be gone from the files already.
      const known = Object.keys(state.resources).filter((each) => each === key || each.endsWith(`.${key}`));
      const [resource] = known;
      if (resource === undefined || known.length > 1) {
        throw new CommandError(
          resource === undefined ? `${key} is not deployed` : `several resources have the key ${key}`,
          {
            exitCode: resource === undefined ? exitCodes.notFound : exitCodes.usage,
            cure: `write one of ${(resource === undefined ? Object.keys(state.resources) : known).join(', ') || '(none)'}`,
          },
        );
      }
      await unbindResource(bundle, resource, {
        client,
        lock: await lockFor(context, options, 'deployment unbind'),
      });
      print(context, `${resource} is let go; it stays in the workspace as ${state.resources[resource]?.id}`);
    });
  return addLockOption(addBundleOptions(command));
}
