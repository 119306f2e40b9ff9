/** `headrace volumes …` */
import type { VolumeInfo } from '@headrace/api';
import { Command } from 'commander';
import type { CliContext } from '../../cli-context.ts';
import { addConnectionOptions, type ConnectionOptions, connect } from '../../connection.ts';
import {
  addOutputOption,
  note,
  type OutputOptions,
  print,
  printDocument,
  printTable,
} from '../../output/print.ts';
import { approve } from '../approve.ts';
import { example } from '../example.ts';
import { splitName } from './split-name.ts';

type Options = ConnectionOptions & OutputOptions;

export function createVolumesCommands(context: CliContext): Command[] {
  return [
    createListCommand(context),
    createGetCommand(context),
    createCreateCommand(context),
    createUpdateCommand(context),
    createDeleteCommand(context),
  ];
}

function createListCommand(context: CliContext): Command {
  const command = new Command('list')
    .description('list the volumes of a schema')
    .argument('<schema>', 'catalog.schema')
    .option('--page-token <token>', 'go on where an earlier page ended')
    .addHelpText('after', example('volumes list main.default'))
    .action(async (schema: string, options: Options & { pageToken?: string }) => {
      const [catalog_name, schema_name] = splitName(schema, ['catalog', 'schema']);
      const client = await connect(context, options);
      const { pageToken: page_token } = options;
      const page = await client.volumesList({ catalog_name, schema_name, page_token });
      printTable(context, options, page, () => ({
        columns: ['volume', 'type', 'owner', 'location'],
        rows: (page.volumes ?? []).map((volume) => [
          ...[volume.full_name, volume.volume_type, volume.owner ?? '-', volume.storage_location],
        ]),
        empty: `no volumes: \`headrace volumes create ${schema}.NAME\` makes one`,
      }));
      if (options.output === 'table' && page.next_page_token)
        note(context, `more: headrace volumes list ${schema} --page-token ${page.next_page_token}`);
    });
  return addOutputOption(addConnectionOptions(command));
}

function createGetCommand(context: CliContext): Command {
  const command = new Command('get')
    .description('show one volume')
    .argument('<volume>', 'catalog.schema.volume')
    .addHelpText('after', example('volumes get main.default.landing'))
    .action(async (name: string, options: Options) => {
      const client = await connect(context, options);
      const volume = await client.volumesGet({ name });
      printDocument(context, options, volume, () => formatVolume(volume));
    });
  return addOutputOption(addConnectionOptions(command));
}

function createCreateCommand(context: CliContext): Command {
  const command = new Command('create')
    .description('make a volume, a managed one unless --external names a folder')
    .argument('<volume>', 'catalog.schema.volume')
    .option('--external <folder>', 'a folder of the server, below one that it allows')
    .option('--comment <text>')
    .addHelpText('after', example('volumes create main.default.landing'))
    .action(async (fullName: string, options: Options & { external?: string; comment?: string }) => {
      const [catalog_name, schema_name, name] = splitName(fullName, ['catalog', 'schema', 'volume']);
      const { external, comment } = options;
      const client = await connect(context, options);
      const volume = await client.volumesCreate({
        ...{ catalog_name, schema_name, name, comment },
        ...(external === undefined
          ? { volume_type: 'MANAGED' as const }
          : { volume_type: 'EXTERNAL' as const, storage_location: external }),
      });
      printDocument(context, options, volume, () => formatVolume(volume));
    });
  return addOutputOption(addConnectionOptions(command));
}

function createUpdateCommand(context: CliContext): Command {
  const command = new Command('update')
    .description('change the name, owner or comment of a volume; its files follow its name')
    .argument('<volume>', 'catalog.schema.volume')
    .option('--new-name <name>')
    .option('--owner <user>')
    .option('--comment <text>')
    .addHelpText('after', example('volumes update main.default.landing --new-name raw'))
    .action(
      async (name: string, options: Options & { newName?: string; owner?: string; comment?: string }) => {
        const { newName: new_name, owner, comment } = options;
        const client = await connect(context, options);
        const volume = await client.volumesUpdate({ name, new_name, owner, comment });
        printDocument(context, options, volume, () => formatVolume(volume));
      },
    );
  return addOutputOption(addConnectionOptions(command));
}

function createDeleteCommand(context: CliContext): Command {
  const command = new Command('delete')
    .description('delete a volume; the files of a managed one go with it; asks first')
    .argument('<volume>', 'catalog.schema.volume')
    .option('--auto-approve', 'do not ask')
    .addHelpText('after', example('volumes delete main.default.landing'))
    .action(async (name: string, options: ConnectionOptions & { autoApprove?: boolean }) => {
      const client = await connect(context, options);
      const { full_name, volume_type } = await client.volumesGet({ name });
      const files = volume_type === 'MANAGED' ? ' with all files in it' : '; its files stay where they are';
      await approve(context, `This deletes volume ${full_name}${files}.`, options);
      await client.volumesDelete({ name });
      print(context, `volume ${full_name} is deleted`);
    });
  return addConnectionOptions(command);
}

function formatVolume(volume: VolumeInfo): string {
  const { full_name, volume_type, owner, comment, storage_location } = volume;
  return [
    `${full_name}  ${volume_type}${owner ? `  of ${owner}` : ''}`,
    ...(comment ? [comment] : []),
    `/Volumes/${full_name.replaceAll('.', '/')} is ${storage_location}`,
  ].join('\n');
}
