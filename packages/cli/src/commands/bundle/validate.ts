/** `headrace bundle validate` */
import type { Client } from '@headrace/api';
import {
  findNamedIds,
  hasErrors,
  type NamedId,
  type Problem,
  type ResolvedBundle,
  toPlain,
  warnOfUnknownId,
} from '@headrace/bundle';
import { Command } from 'commander';
import type { CliContext } from '../../cli-context.ts';
import { exitCodes, toCommandError } from '../../command-error.ts';
import { count } from '../../output/count.ts';
import { formatFields } from '../../output/format-table.ts';
import { addOutputOption, note, type OutputOptions, printDocument } from '../../output/print.ts';
import { example } from '../example.ts';
import {
  addBundleOptions,
  type BundleOptions,
  checkOffline,
  checkOnline,
  type OpenedFolder,
} from './open-bundle.ts';
import { printProblems, tooManyProblems } from './print-problems.ts';

interface Options extends BundleOptions, OutputOptions {
  readonly offline?: boolean;
  readonly user: string;
  readonly strict?: boolean;
}

/** Ids that a server is asked for; a bundle that names more is generated, and its ids are alike. */
const idsAskedMax = 50;

export function createBundleValidateCommand(context: CliContext): Command {
  const command = new Command('validate')
    .description('check a bundle; problems are printed as file:line:column, with the lines around')
    .option('--offline', 'ask no server, not even who you are')
    .option('--user <name>', 'user name where no server is asked', 'you')
    .option('--strict', 'fail on warnings too')
    .addHelpText(
      'after',
      example('bundle validate -t dev', 'bundle validate -o json', 'bundle validate --offline --strict'),
    )
    .action(async (options: Options) => {
      const { loaded, bundle, problems } = await check(context, options);
      await printProblems(context, loaded.folder, problems);
      const isStrict = options.strict ?? false;
      const hasFailed = bundle === null || hasErrors(problems) || (isStrict && problems.length > 0);
      // Programs get what could be resolved in any case; the exit code says whether it is good.
      if (bundle !== null && (options.output === 'json' || !hasFailed))
        printDocument(context, options, toPlain(bundle.root), () => describe(bundle, problems));
      if (hasFailed) throw tooManyProblems(problems, { isStrict });
    });
  return addOutputOption(addBundleOptions(command));
}

async function check(context: CliContext, options: Options): Promise<OpenedFolder> {
  if (options.offline) return checkOffline(context, options, options.user);
  try {
    const { client, ...opened } = await checkOnline(context, options);
    const unknown = opened.bundle === null ? [] : await findUnknownIds(client, opened.bundle);
    return { ...opened, problems: [...opened.problems, ...unknown.map(warnOfUnknownId)] };
  } catch (error) {
    if (toCommandError(error)?.exitCode !== exitCodes.unreachable) throw error;
    note(context, `no server to ask who you are: checked for the user "${options.user}"`);
    return checkOffline(context, options, options.user);
  }
}

async function findUnknownIds(client: Client, bundle: ResolvedBundle): Promise<NamedId[]> {
  const named = findNamedIds(bundle);
  const first = new Map(named.map((one) => [`${one.kind} ${one.id}`, one]));
  const unknown = new Set<string>();
  for (const [key, one] of [...first].slice(0, idsAskedMax)) {
    if (!(await isKnown(client, one))) unknown.add(key);
  }
  return named.filter(({ kind, id }) => unknown.has(`${kind} ${id}`));
}

async function isKnown(client: Client, { kind, id }: NamedId): Promise<boolean> {
  try {
    switch (kind) {
      case 'warehouse':
        await client.warehousesGet({ id });
        break;
      case 'cluster':
        await client.clustersGet({ cluster_id: id });
        break;
      case 'pool':
        await client.instancePoolsGet({ instance_pool_id: id });
    }
    return true;
  } catch (error) {
    const exitCode = toCommandError(error)?.exitCode;
    // Anything else, such as a lack of permission, says nothing of whether it exists.
    if (exitCode === undefined || exitCode === exitCodes.unreachable) throw error;
    return exitCode !== exitCodes.notFound && exitCode !== exitCodes.usage;
  }
}

function describe(bundle: ResolvedBundle, problems: readonly Problem[]): string {
  const fields = formatFields([
    ['bundle', bundle.name],
    ['target', bundle.target],
    ['mode', bundle.mode ?? '-'],
    ['server', bundle.workspace.host],
    ['user', bundle.workspace.userName],
    ['folder', bundle.workspace.rootPath],
    ...Object.entries(Object.groupBy(bundle.resources, ({ kind }) => kind)).map(
      ([kind, resources]): [string, string] => [kind, resources.map(({ key }) => key).join(', ')],
    ),
    ['files', String(bundle.files.length)],
  ]);
  const warnings = problems.length === 0 ? '' : `, with ${count(problems.length, 'warning')}`;
  return `${fields}\n\nthe bundle is valid${warnings}`;
}
