/** What all bundle commands begin with: the files, the server, the target, and everything that is wrong with them. */
import path from 'node:path';
import type { Client } from '@headrace/api';
import {
  answerLookups,
  type CheckedBundle,
  checkBundle,
  collectLookups,
  hasErrors,
  type LoadedBundle,
  loadBundle,
  type ResolvedBundle,
  type ResolveInputs,
  readGit,
  readWorkspaceHost,
  type WorkspaceFacts,
} from '@headrace/bundle';
import type { Command } from 'commander';
import type { CliContext } from '../../cli-context.ts';
import { addConnectionOptions, type ConnectionOptions, connect, findConnection } from '../../connection.ts';
import { note } from '../../output/print.ts';
import { collectPairs } from '../parse-options.ts';
import { printProblems, tooManyProblems } from './print-problems.ts';

export interface BundleOptions extends ConnectionOptions {
  readonly target?: string;
  readonly var?: Record<string, string>;
  readonly folder?: string;
  /** Of commands that have these flags: */
  readonly force?: boolean;
  readonly clusterId?: string;
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

/** Throws when the bundle has an error, once all findings are printed. */
export async function openBundle(context: CliContext, options: BundleOptions): Promise<OpenBundle> {
  const { client, loaded, bundle, problems } = await checkOnline(context, options);
  await printProblems(context, loaded.folder, problems);
  if (bundle === null || hasErrors(problems)) throw tooManyProblems(problems);
  return { bundle, client };
}

/** A bundle, read and checked, and what is wrong with it. */
export interface OpenedFolder extends CheckedBundle {
  readonly loaded: LoadedBundle;
}

export async function checkOnline(
  context: CliContext,
  options: BundleOptions,
): Promise<OpenedFolder & { readonly client: Client }> {
  const loaded = await load(context, options);
  const { baseUrl } = await findConnection(context, options);
  const client = await connect(context, options);
  warnOfOtherHost(context, loaded, options, baseUrl);
  const currentUser = await client.currentUserMe({});
  const facts = { host: baseUrl, userName: currentUser.userName, currentUser };
  return { ...(await check(context, loaded, options, { facts, client })), client };
}

/** Needs no server: somebody stands for the caller. */
export async function checkOffline(
  context: CliContext,
  options: BundleOptions,
  userName: string,
): Promise<OpenedFolder> {
  const loaded = await load(context, options);
  const facts = { host: 'http://127.0.0.1:8080', userName };
  return check(context, loaded, options, { facts, client: null });
}

function load(context: CliContext, options: BundleOptions): Promise<LoadedBundle> {
  return loadBundle(path.resolve(context.folder, options.folder ?? '.'));
}

async function check(
  context: CliContext,
  loaded: LoadedBundle,
  options: BundleOptions,
  { facts, client }: { facts: WorkspaceFacts; client: Client | null },
): Promise<OpenedFolder> {
  const inputs: ResolveInputs = {
    target: options.target,
    vars: options.var ?? {},
    environment: context.settings.environment,
    facts,
    git: await readGit(loaded.folder),
    ...{ force: options.force ?? false, clusterId: options.clusterId },
  };
  // Without a server, what refers to a lookup stays open.
  if (client === null) return { ...checkBundle(loaded, inputs), loaded };
  const lookups = await answerLookups(collectLookups(loaded, inputs), client);
  return { ...checkBundle(loaded, { ...inputs, lookups }), loaded };
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
