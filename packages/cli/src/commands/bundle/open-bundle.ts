/** What all bundle commands begin with: the files, the server, the target, and everything that is wrong with them. */
import path from 'node:path';
import type { Client } from '@headrace/api';
import {
  formatProblem,
  hasErrors,
  type LoadedBundle,
  loadBundle,
  type Problem,
  type ResolvedBundle,
  readGit,
  readWorkspaceHost,
  resolveBundle,
  validateBundle,
  type WorkspaceFacts,
} from '@headrace/bundle';
import type { Command } from 'commander';
import type { CliContext } from '../../cli-context.ts';
import { CommandError, exitCodes } from '../../command-error.ts';
import { addConnectionOptions, type ConnectionOptions, connect, findConnection } from '../../connection.ts';
import { count } from '../../output/count.ts';
import { note } from '../../output/print.ts';
import { collectPairs } from '../parse-options.ts';

export interface BundleOptions extends ConnectionOptions {
  readonly target?: string;
  readonly var?: Record<string, string>;
  readonly folder?: string;
}

export interface OpenBundle {
  readonly bundle: ResolvedBundle;
  readonly client: Client;
}

export function addBundleOptions(command: Command): Command {
  return addConnectionOptions(
    command
      .option('-t, --target <name>', 'target of the bundle (default: the one marked so)')
      .option('--var <name=value>', 'value of a bundle variable; may be given several times', collectPairs)
      .option('--folder <dir>', 'folder of databricks.yml (default: this one)'),
  );
}

export async function openBundle(context: CliContext, options: BundleOptions): Promise<OpenBundle> {
  const loaded = await load(context, options);
  const { baseUrl } = await findConnection(context, options);
  const client = await connect(context, options);
  warnOfOtherHost(context, loaded, options, baseUrl);
  const { userName } = await client.currentUserMe({});
  return { bundle: await check(context, loaded, options, { host: baseUrl, userName }), client };
}

/** Needs no server: without one, the folders of the user `you` stand for the caller's. */
export async function openBundleOffline(
  context: CliContext,
  options: BundleOptions,
): Promise<ResolvedBundle> {
  return check(context, await load(context, options), options, {
    host: 'http://127.0.0.1:8080',
    userName: 'you',
  });
}

function load(context: CliContext, options: BundleOptions): Promise<LoadedBundle> {
  return loadBundle(path.resolve(context.folder, options.folder ?? '.'));
}

/** Prints all findings; throws when one is an error. */
async function check(
  context: CliContext,
  loaded: LoadedBundle,
  options: BundleOptions,
  facts: WorkspaceFacts,
): Promise<ResolvedBundle> {
  const resolved = resolveBundle(loaded, {
    target: options.target,
    vars: options.var ?? {},
    environment: context.settings.environment,
    facts,
    git: await readGit(loaded.folder),
  });
  const problems = 'root' in resolved ? validateBundle(resolved, loaded) : resolved.problems;
  for (const problem of problems) note(context, formatProblem(problem));
  if (!('root' in resolved) || hasErrors(problems))
    throw new CommandError(describe(problems), { exitCode: exitCodes.usage });
  return resolved;
}

function describe(problems: readonly Problem[]): string {
  const errors = problems.filter(({ severity }) => severity === 'error').length;
  return `the bundle has ${count(errors, 'error')}`;
}

/** A bundle written for another server still runs on this one; nobody should be surprised by where it went. */
function warnOfOtherHost(
  context: CliContext,
  loaded: LoadedBundle,
  options: BundleOptions,
  baseUrl: string,
): void {
  const named = readWorkspaceHost(loaded, options.target);
  if (named !== null && named !== baseUrl) {
    note(context, `warning: the bundle names ${named}; the server in use is ${baseUrl}`);
  }
}
