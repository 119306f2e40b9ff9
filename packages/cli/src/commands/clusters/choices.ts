/** `headrace clusters node-types`, `spark-versions` and `zones`: what a cluster may be made of. */
import { Command } from 'commander';
import type { CliContext } from '../../cli-context.ts';
import { addConnectionOptions, type ConnectionOptions, connect } from '../../connection.ts';
import { addOutputOption, type OutputOptions, printTable } from '../../output/print.ts';
import { example } from '../example.ts';

type Options = ConnectionOptions & OutputOptions;

export function createClusterChoiceCommands(context: CliContext): Command[] {
  return [createNodeTypesCommand(context), createSparkVersionsCommand(context), createZonesCommand(context)];
}

function createNodeTypesCommand(context: CliContext): Command {
  const command = new Command('list-node-types')
    .description('list the node types whose cores and memory are known')
    .addHelpText('after', example('clusters list-node-types'))
    .action(async (options: Options) => {
      const client = await connect(context, options);
      const listed = await client.clustersListNodeTypes({});
      printTable(context, options, listed, () => ({
        columns: ['id', 'cores', 'memory', 'category'],
        rows: listed.node_types.map((type) => [
          type.node_type_id,
          String(type.num_cores),
          `${(type.memory_mb / 1024).toFixed(1)} GiB`,
          type.category,
        ]),
        empty: 'no node types',
      }));
    });
  return addOutputOption(addConnectionOptions(command));
}

function createSparkVersionsCommand(context: CliContext): Command {
  const command = new Command('spark-versions')
    .description('list names of runtimes; every one runs on the runtime that is installed')
    .addHelpText('after', example('clusters spark-versions'))
    .action(async (options: Options) => {
      const client = await connect(context, options);
      const listed = await client.clustersSparkVersions({});
      printTable(context, options, listed, () => ({
        columns: ['key', 'name'],
        rows: listed.versions.map(({ key, name }) => [key, name]),
        empty: 'no runtimes',
      }));
    });
  return addOutputOption(addConnectionOptions(command));
}

function createZonesCommand(context: CliContext): Command {
  const command = new Command('list-zones')
    .description('list the places where clusters may be')
    .addHelpText('after', example('clusters list-zones'))
    .action(async (options: Options) => {
      const client = await connect(context, options);
      const listed = await client.clustersListZones({});
      printTable(context, options, listed, () => ({
        columns: ['zone', 'default'],
        rows: listed.zones.map((zone) => [zone, zone === listed.default_zone ? 'yes' : '-']),
        empty: 'no zones',
      }));
    });
  return addOutputOption(addConnectionOptions(command));
}
