/** `headrace bundle deploy` */
import { deployBundle, type Plan } from '@headrace/bundle';
import { Command } from 'commander';
import type { CliContext } from '../../cli-context.ts';
import { CommandError, exitCodes } from '../../command-error.ts';
import { count } from '../../output/count.ts';
import { note, print } from '../../output/print.ts';
import { approve } from '../approve.ts';
import { example } from '../example.ts';
import { addLockOption, type LockFlags, lockFor } from './lock.ts';
import { addBundleOptions, type BundleOptions, type OpenBundle, openBundle } from './open-bundle.ts';
import {
  addDriftOption,
  describeDeletes,
  formatStep,
  noteDrift,
  type PlanningOptions,
  planDeployment,
} from './plan-deployment.ts';

interface Options extends BundleOptions, PlanningOptions, LockFlags {
  readonly autoApprove?: boolean;
  readonly failOnActiveRuns?: boolean;
  readonly message?: string;
}

export function createBundleDeployCommand(context: CliContext): Command {
  const command = new Command('deploy')
    .description('make the server hold what the bundle says: files, artifacts, jobs and what they use')
    .option('--auto-approve', 'do not ask before something is deleted that the bundle no longer has')
    .option('--force', 'deploy from another Git branch than the one that the target names')
    .option('--fail-on-active-runs', 'change nothing while a job that would change, or go, has a run')
    .option('-c, --cluster-id <id>', 'in development: run everything on this cluster')
    .option('-m, --message <text>', 'kept with the version, for `bundle history`')
    .option(
      '--plan <file>',
      'do exactly what `plan -o json` wrote there, or nothing if the world has moved since',
    )
    .addHelpText('after', example('bundle deploy', 'bundle deploy -t prod --var catalog=main'))
    .action(async (options: Options) => {
      const open = await openBundle(context, options);
      const plan = await planDeployment(context, open, options);
      noteDrift(context, plan);
      await approve(context, describeDeletes(plan), options);
      if (options.failOnActiveRuns) await refuseActiveRuns(open, plan);
      const released = await deployBundle(plan, open.client, {
        ...(await lockFor(context, options, 'deploy')),
        ...(options.message === undefined ? {} : { message: options.message }),
        onStep: (step) => note(context, formatStep(step)),
      });
      const { name, target, jobs } = open.bundle;
      const state = released === null ? 'no changes' : 'deployed';
      print(context, `${state}: bundle ${name}, target ${target}, ${count(jobs.length, 'job')}`);
    });
  return addLockOption(addDriftOption(addBundleOptions(command)));
}

async function refuseActiveRuns({ client }: OpenBundle, plan: Plan): Promise<void> {
  const changed = plan.actions.filter(
    ({ kind, action, id }) => kind === 'jobs' && id !== null && action !== 'unchanged',
  );
  const active: string[] = [];
  for (const { id, resource, name } of changed) {
    const { runs = [] } = await client.runsList({ job_id: Number(id), active_only: true, limit: 1 });
    for (const { run_id } of runs) active.push(`${resource} "${name}" has run ${run_id}`);
  }
  if (active.length === 0) return;
  throw new CommandError(`jobs that would change are running:\n  ${active.join('\n  ')}`, {
    exitCode: exitCodes.failed,
    cure: 'wait for them, cancel them, or leave --fail-on-active-runs away',
  });
}
