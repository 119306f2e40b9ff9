/** `headrace instance-pools …` */
import type { InstancePoolDocument } from '@headrace/api';
import { Command } from 'commander';
import type { CliContext } from '../../cli-context.ts';
import { addConnectionOptions, type ConnectionOptions, connect } from '../../connection.ts';
import { formatFields } from '../../output/format-table.ts';
import { addOutputOption, type OutputOptions, print, printDocument, printTable } from '../../output/print.ts';
import { approve } from '../approve.ts';
import { example } from '../example.ts';
import { addDocumentOptions, type DocumentOptions, readDocument } from '../json-document.ts';

type Options = ConnectionOptions & OutputOptions;
type FileOptions = Options & DocumentOptions;

export function createInstancePoolCommands(context: CliContext): Command[] {
  return [
    createListCommand(context),
    createGetCommand(context),
    createCreateCommand(context),
    createEditCommand(context),
    createDeleteCommand(context),
  ];
}

function createListCommand(context: CliContext): Command {
  const command = new Command('list')
    .description('list instance pools, by name, and how many hosts they have')
    .addHelpText('after', example('instance-pools list'))
    .action(async (options: Options) => {
      const client = await connect(context, options);
      const listed = await client.instancePoolsList({});
      printTable(context, options, listed, () => ({
        columns: ['id', 'name', 'idle', 'used', 'min idle', 'capacity'],
        rows: listed.instance_pools.map((pool) => [
          pool.instance_pool_id,
          pool.instance_pool_name,
          countOf(pool.stats.idle_count, pool.stats.pending_idle_count),
          countOf(pool.stats.used_count, pool.stats.pending_used_count),
          String(pool.min_idle_instances ?? 0),
          String(pool.max_capacity ?? '-'),
        ]),
        empty: 'no instance pools: `headrace instance-pools create` makes one',
      }));
    });
  return addOutputOption(addConnectionOptions(command));
}

/** `1 (+1 starting)`. */
function countOf(there: number, pending: number): string {
  return pending === 0 ? String(there) : `${there} (+${pending} starting)`;
}

function createGetCommand(context: CliContext): Command {
  const command = new Command('get')
    .description('show one pool')
    .argument('<id>', 'as `instance-pools list` shows it')
    .addHelpText('after', example('instance-pools get pool-seed-01'))
    .action(async (id: string, options: Options) => {
      const client = await connect(context, options);
      const pool = await client.instancePoolsGet({ instance_pool_id: id });
      printDocument(context, options, pool, () => formatPool(pool));
    });
  return addOutputOption(addConnectionOptions(command));
}

function formatPool(pool: InstancePoolDocument): string {
  const { stats, status, headrace = {} } = pool;
  const conf = Object.entries(headrace.spark_conf ?? {}).map(([name, value]) => `${name}=${value}`);
  const errors = (status.pending_instance_errors ?? []).map(({ message }) => message);
  return formatFields([
    ['pool', pool.instance_pool_id],
    ['name', pool.instance_pool_name],
    ['node type', pool.node_type_id],
    ['idle', countOf(stats.idle_count, stats.pending_idle_count)],
    ['used', countOf(stats.used_count, stats.pending_used_count)],
    ['min idle', String(pool.min_idle_instances ?? 0)],
    ['capacity', String(pool.max_capacity ?? '-')],
    ['idle minutes', String(pool.idle_instance_autotermination_minutes ?? '-')],
    ['spark conf', conf.join(' ') || '-'],
    ['errors', errors.join('; ') || '-'],
  ]);
}

function createCreateCommand(context: CliContext): Command {
  const command = addDocumentOptions(new Command('create'), 'what it is, as JSON')
    .description('make a pool; only administrators may')
    .addHelpText('after', example('instance-pools create --json-file pool.json'))
    .action(async (options: FileOptions) => {
      const document = await readDocument(context, options);
      const client = await connect(context, options);
      // Whatever is wrong with it, the server says.
      const made = await client.instancePoolsCreate(
        document as Parameters<typeof client.instancePoolsCreate>[0],
      );
      printDocument(context, options, made, () => `pool ${made.instance_pool_id} created`);
    });
  return addOutputOption(addConnectionOptions(command));
}

function createEditCommand(context: CliContext): Command {
  const command = addDocumentOptions(new Command('edit'), 'what it is, as JSON')
    .description('replace what can be changed of a pool')
    .argument('<id>', 'as `instance-pools list` shows it')
    .addHelpText('after', example('instance-pools edit pool-seed-01 --json-file pool.json'))
    .action(async (id: string, options: Omit<FileOptions, 'output'>) => {
      const document = await readDocument(context, options);
      const client = await connect(context, options);
      const change = { ...document, instance_pool_id: id };
      await client.instancePoolsEdit(change as unknown as Parameters<typeof client.instancePoolsEdit>[0]);
      print(context, `pool ${id} was changed`);
    });
  return addConnectionOptions(command);
}

function createDeleteCommand(context: CliContext): Command {
  const command = new Command('delete')
    .description('delete a pool and end its idle hosts; clusters keep those that they have')
    .argument('<id>', 'as `instance-pools list` shows it')
    .option('--auto-approve', 'do not ask')
    .addHelpText('after', example('instance-pools delete pool-seed-01'))
    .action(async (id: string, options: ConnectionOptions & { readonly autoApprove?: boolean }) => {
      const client = await connect(context, options);
      await approve(context, `Clusters that name pool ${id} will start hosts of their own.`, options);
      await client.instancePoolsDelete({ instance_pool_id: id });
      print(context, `pool ${id} is deleted`);
    });
  return addConnectionOptions(command);
}
