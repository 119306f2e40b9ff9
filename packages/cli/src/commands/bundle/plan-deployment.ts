/** The plan of a deployment, and its words. */
import path from 'node:path';
import {
  type DeployStep,
  describeLosses,
  findDrift,
  findIdlePermissions,
  formatPlan,
  type Plan,
  planBundle,
  prepareBundle,
  readDeployment,
} from '@headrace/bundle';
import { type Command, Option } from 'commander';
import { z } from 'zod';
import type { CliContext } from '../../cli-context.ts';
import { CommandError, exitCodes } from '../../command-error.ts';
import { readJson } from '../../local/server-file.ts';
import { count } from '../../output/count.ts';
import { note } from '../../output/print.ts';
import { styleText } from '../../output/style-text.ts';
import type { OpenBundle } from './open-bundle.ts';
import { readPlanFile, refuseMovedPlan } from './plan-file.ts';
import { printProblems } from './print-problems.ts';

const RuntimeFile = z.looseObject({ python: z.string() });

const driftChoices = ['revert', 'adopt', 'fail'] as const;

export interface PlanningOptions {
  /** What becomes of changes that somebody made by hand. */
  readonly drift?: (typeof driftChoices)[number];
  /** A file that `plan -o json` wrote: exactly that is done, or nothing. */
  readonly plan?: string;
}

export function addDriftOption(command: Command): Command {
  const text = `changes made by hand since the last deployment: put back, kept until the files change that field, or an error`;
  return command.addOption(
    new Option('--drift <what>', `${text} (default: revert)`).choices([...driftChoices]),
  );
}

export async function planDeployment(
  context: CliContext,
  { bundle, client }: OpenBundle,
  options: PlanningOptions = {},
): Promise<Plan> {
  const kept = options.plan === undefined ? null : await readPlanFile(context, options.plan);
  const drift = options.drift ?? kept?.drift ?? 'revert';
  await printProblems(context, bundle.folder, findIdlePermissions(bundle));
  const deployed = await readDeployment(bundle, client);
  const prepared = await prepareBundle(bundle, deployed.state, {
    python: await findPython(context),
    environment: context.settings.environment,
    onBuild: (artifact) => note(context, `building ${artifact} …`),
  });
  const plan = planBundle(prepared, deployed, { drift: drift === 'adopt' ? 'adopt' : 'revert' });
  if (drift === 'fail') refuseDrift(plan);
  if (kept !== null) refuseMovedPlan(kept, plan);
  return plan;
}

/** The Python that set-up made, else the machine's. */
export async function findPython(context: CliContext): Promise<string> {
  const runtime = RuntimeFile.safeParse(
    await readJson(path.join(context.settings.runtimeDir, 'runtime.json')),
  );
  return runtime.data?.python ?? 'python3';
}

function refuseDrift(plan: Plan): void {
  const drift = findDrift(plan);
  if (drift.length === 0) return;
  const named = drift.map(({ resource, paths }) =>
    paths.length === 0 ? `${resource} is deleted` : `${resource}: ${paths.join(', ')}`,
  );
  throw new CommandError(`somebody changed by hand what was deployed:\n  ${named.join('\n  ')}`, {
    exitCode: exitCodes.failed,
    cure: 'put it back with `--drift revert`, or keep it with `--drift adopt` and write it in the files',
  });
}

/** A deployment says what it puts back: whoever changed it may wonder. */
export function noteDrift(context: CliContext, plan: Plan): void {
  for (const { resource, paths } of findDrift(plan)) {
    const what = paths.length === 0 ? `deleted ${resource}` : `changed ${paths.join(', ')} of ${resource}`;
    note(context, `somebody ${what} by hand since the last deployment; this puts it back`);
  }
}

export function showPlan(context: CliContext, plan: Plan): string {
  return formatPlan(plan, {
    paint: (text, tone) => (tone === 'plain' ? text : styleText(context, context.stdout, text, tone)),
  });
}

/** What a person must agree to; undefined: nothing is lost. */
export function describeDeletes(plan: Plan): string | undefined {
  return describeLosses(plan) ?? undefined;
}

export function formatStep(step: DeployStep): string {
  switch (step.kind) {
    case 'uploading':
      return `uploading ${[count(step.files, 'file'), ...(step.libraries > 0 ? [count(step.libraries, 'artifact')] : [])].join(' and ')} …`;
    case 'removed':
      return `removed ${count(step.files, 'file')} that the bundle no longer has`;
    case 'committed':
      return `this is version ${step.version}`;
    default:
      return `${step.kind} ${step.resource} "${step.name}", id ${step.id}`;
  }
}
