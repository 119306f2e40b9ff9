/** The plan of a deployment, and its words. */
import path from 'node:path';
import {
  type DeployStep,
  type Plan,
  type PlannedAction,
  planBundle,
  prepareBundle,
  readDeployment,
} from '@headrace/bundle';
import { z } from 'zod';
import type { CliContext } from '../../cli-context.ts';
import { readJson } from '../../local/server-file.ts';
import { count } from '../../output/count.ts';
import { note } from '../../output/print.ts';
import type { OpenBundle } from './open-bundle.ts';

const RuntimeFile = z.looseObject({ python: z.string() });
const differencesShown = 5;

export async function planDeployment(context: CliContext, { bundle, client }: OpenBundle): Promise<Plan> {
  const deployed = await readDeployment(bundle, client);
  const prepared = await prepareBundle(bundle, deployed.state, {
    python: await findPython(context),
    environment: context.settings.environment,
    onBuild: (artifact) => note(context, `building ${artifact} …`),
  });
  return planBundle(prepared, deployed);
}

/** The Python that set-up made, else the machine's. */
async function findPython(context: CliContext): Promise<string> {
  const runtime = RuntimeFile.safeParse(
    await readJson(path.join(context.settings.runtimeDir, 'runtime.json')),
  );
  return runtime.data?.python ?? 'python3';
}

export function formatPlan(plan: Plan): string {
  const changes = plan.actions.filter(({ action }) => action !== 'unchanged').flatMap(formatAction);
  const { libraries, files } = plan.upload;
  if (libraries.length > 0) changes.push(`+ upload ${count(libraries.length, 'wheel')}`);
  if (files.length > 0) changes.push(`+ upload ${count(files.length, 'file')}`);
  if (plan.remove.length > 0) changes.push(`- remove ${count(plan.remove.length, 'file')}`);
  return changes.length === 0
    ? 'nothing to do: what is deployed is what the bundle says'
    : changes.join('\n');
}

function formatAction(action: PlannedAction): string[] {
  const what = `${action.resource} "${action.name}"`;
  switch (action.action) {
    case 'create':
      return [`+ create ${what}`];
    case 'delete':
      return [`- delete ${what}, id ${action.id}`];
    case 'unchanged':
      return [`= ${what}, id ${action.id}`];
    case 'update':
    case 'recreate': {
      const shown = action.differences.slice(0, differencesShown);
      const hidden = action.differences.length - shown.length;
      return [
        `~ ${action.action} ${what}, id ${action.id}`,
        ...shown.map(({ path: field, before, after }) => `    ${field}: ${show(before)} → ${show(after)}`),
        ...(hidden > 0 ? [`    and ${hidden} more`] : []),
      ];
    }
  }
}

function show(value: unknown): string {
  const text = value === undefined ? 'nothing' : JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}

/** For programs: without the contents of files. */
export function toPlanDocument(plan: Plan): object {
  return {
    actions: plan.actions,
    upload_libraries: plan.upload.libraries.map(({ remote_path }) => remote_path),
    upload_files: plan.upload.files.map(({ remotePath }) => remotePath),
    remove: plan.remove,
  };
}

export function formatStep(step: DeployStep): string {
  switch (step.kind) {
    case 'uploading':
      return `uploading ${count(step.files, 'file')} and ${count(step.libraries, 'wheel')} …`;
    case 'removed':
      return `removed ${count(step.files, 'file')} that the bundle no longer has`;
    default:
      return `${step.kind} ${step.resource} "${step.name}", id ${step.id}`;
  }
}
