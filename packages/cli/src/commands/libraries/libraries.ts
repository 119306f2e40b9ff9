/** `headrace libraries …`: what tasks get that name an all-purpose cluster. */
import type { LibraryFullStatus, RequestInputOf, routes } from '@headrace/api';
import { Command } from 'commander';
import type { CliContext } from '../../cli-context.ts';
import { CommandError, exitCodes } from '../../command-error.ts';
import { addConnectionOptions, type ConnectionOptions, connect } from '../../connection.ts';
import { addOutputOption, type OutputOptions, print, printTable } from '../../output/print.ts';
import { findClusterId } from '../clusters/find-cluster.ts';
import { example } from '../example.ts';
import { addDocumentOptions, type DocumentOptions, readDocumentIfGiven } from '../json-document.ts';
import { collectTexts } from '../parse-options.ts';

type Libraries = RequestInputOf<typeof routes.librariesInstall>['libraries'];

export function createLibrariesCommands(context: CliContext): Command[] {
  return [
    createClusterStatusCommand(context),
    createAllStatusesCommand(context),
    createChangeCommand(context, {
      name: 'install',
      description: 'give tasks that name the cluster libraries, from the next one on',
      done: 'its next task gets',
    }),
    createChangeCommand(context, {
      name: 'uninstall',
      description: 'take libraries from a cluster; tasks that run keep them',
      done: 'its next task lacks',
    }),
  ];
}

function createClusterStatusCommand(context: CliContext): Command {
  const command = new Command('cluster-status')
    .description('list the libraries of a cluster, and what its next task will find')
    .argument('<cluster>', 'id or exact name')
    .addHelpText('after', example('libraries cluster-status etl'))
    .action(async (text: string, options: ConnectionOptions & OutputOptions) => {
      const client = await connect(context, options);
      const cluster_id = await findClusterId(client, text);
      const listed = await client.librariesClusterStatus({ cluster_id });
      printTable(context, options, listed, () => ({
        columns: ['library', 'status', 'message'],
        rows: listed.library_statuses.map(toRow),
        empty: `no libraries: \`headrace libraries install ${text} --pypi PACKAGE\` adds one`,
      }));
    });
  return addOutputOption(addConnectionOptions(command));
}

function createAllStatusesCommand(context: CliContext): Command {
  const command = new Command('all-cluster-statuses')
    .description('list the libraries of all clusters that have some')
    .addHelpText('after', example('libraries all-cluster-statuses'))
    .action(async (options: ConnectionOptions & OutputOptions) => {
      const client = await connect(context, options);
      const listed = await client.librariesAllClusterStatuses({});
      printTable(context, options, listed, () => ({
        columns: ['cluster', 'library', 'status', 'message'],
        rows: listed.statuses.flatMap(({ cluster_id, library_statuses }) =>
          library_statuses.map((status) => [cluster_id, ...toRow(status)]),
        ),
        empty: 'no cluster has libraries of its own',
      }));
    });
  return addOutputOption(addConnectionOptions(command));
}

function toRow({ library, status, messages = [] }: LibraryFullStatus): string[] {
  const [message = '-'] = messages;
  return [nameOf(library), status, message.split('\n', 1)[0] ?? '-'];
}

function nameOf({ whl, jar, requirements, pypi, maven, ...others }: LibraryFullStatus['library']): string {
  if (pypi) return `pypi ${pypi.package}`;
  if (maven) return `maven ${maven.coordinates}`;
  return whl ?? jar ?? requirements ?? JSON.stringify(others);
}

interface Change {
  readonly name: 'install' | 'uninstall';
  readonly description: string;
  readonly done: string;
}

interface ChangeOptions extends ConnectionOptions, DocumentOptions {
  readonly pypi?: readonly string[];
  readonly maven?: readonly string[];
  readonly whl?: readonly string[];
  readonly jar?: readonly string[];
  readonly requirements?: readonly string[];
}

function createChangeCommand(context: CliContext, { name, description, done }: Change): Command {
  const command = new Command(name)
    .description(description)
    .argument('<cluster>', 'id or exact name')
    .option('--pypi <package>', 'a package of an index, as pip takes it; may be repeated', collectTexts)
    .option('--maven <coordinates>', 'group:artifact:version; may be repeated', collectTexts)
    .option('--whl <path>', 'a wheel; may be repeated', collectTexts)
    .option('--jar <path>', 'a jar; may be repeated', collectTexts)
    .option('--requirements <path>', 'a requirements.txt; may be repeated', collectTexts);
  addDocumentOptions(command, 'what the API takes: {"libraries": […]}')
    .addHelpText('after', example(`libraries ${name} etl --pypi 'polars==1.9'`))
    .action(async (text: string, options: ChangeOptions) => {
      const libraries = await readLibraries(context, options);
      const client = await connect(context, options);
      const cluster_id = await findClusterId(client, text);
      const request = { cluster_id, libraries };
      await (name === 'install' ? client.librariesInstall(request) : client.librariesUninstall(request));
      const names = libraries.map((library) => nameOf(library as LibraryFullStatus['library'])); // As it was sent.
      print(context, `cluster ${cluster_id}: ${done} ${names.join(', ')}`);
    });
  return addConnectionOptions(command);
}

async function readLibraries(context: CliContext, options: ChangeOptions): Promise<Libraries> {
  const { libraries: written = [] } = (await readDocumentIfGiven(context, options)) ?? {};
  const { pypi = [], maven = [], whl = [], jar = [], requirements = [] } = options;
  const libraries = [
    // The server says what is wrong with them.
    ...(written as Libraries),
    ...pypi.map((name) => ({ pypi: { package: name } })),
    ...maven.map((coordinates) => ({ maven: { coordinates } })),
    ...whl.map((file) => ({ whl: file })),
    ...jar.map((file) => ({ jar: file })),
    ...requirements.map((file) => ({ requirements: file })),
  ];
  if (libraries.length > 0) return libraries;
  throw new CommandError('which libraries?', {
    exitCode: exitCodes.usage,
    cure: 'give --pypi, --maven, --whl, --jar, --requirements or --json',
  });
}
