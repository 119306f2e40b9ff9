/** `headrace warehouses …` */
import type { Client, WarehouseDocument } from '@headrace/api';
import { Command } from 'commander';
import type { CliContext } from '../../cli-context.ts';
import { CommandError, exitCodes } from '../../command-error.ts';
import { addConnectionOptions, type ConnectionOptions, connect } from '../../connection.ts';
import { formatFields } from '../../output/format-table.ts';
import { addOutputOption, type OutputOptions, print, printDocument, printTable } from '../../output/print.ts';
import { approve } from '../approve.ts';
import { example } from '../example.ts';
import { addDocumentOptions, type DocumentOptions, readDocument } from '../json-document.ts';
import { findWarehouseId } from './find-warehouse.ts';

type Options = ConnectionOptions & OutputOptions;
type Waiting = ConnectionOptions & { readonly wait: boolean };

export function createWarehouseCommands(context: CliContext): Command[] {
  return [
    createListCommand(context),
    createGetCommand(context),
    createCreateCommand(context),
    createEditCommand(context),
    createStartCommand(context),
    createStopCommand(context),
    createDeleteCommand(context),
    createConfigCommand(context),
    createHistoryCommand(context),
  ];
}

function createListCommand(context: CliContext): Command {
  const command = new Command('list')
    .description('list SQL warehouses, by name')
    .addHelpText('after', example('warehouses list'))
    .action(async (options: Options) => {
      const client = await connect(context, options);
      const listed = await client.warehousesList({});
      printTable(context, options, listed, () => ({
        columns: ['id', 'name', 'state', 'size', 'auto stop', 'owner'],
        rows: listed.warehouses.map((warehouse) => [
          warehouse.id,
          warehouse.name,
          warehouse.state,
          warehouse.cluster_size ?? '-',
          minutesOf(warehouse),
          warehouse.creator_name ?? '-',
        ]),
        empty: 'no SQL warehouses: `headrace warehouses create` makes one',
      }));
    });
  return addOutputOption(addConnectionOptions(command));
}

function minutesOf({ auto_stop_mins: minutes }: WarehouseDocument): string {
  return minutes ? `${minutes} min` : 'never';
}

function createGetCommand(context: CliContext): Command {
  const command = new Command('get')
    .description('show one warehouse, and where clients find it')
    .argument('<warehouse>', 'an id or a name')
    .addHelpText('after', example('warehouses get "Default warehouse"'))
    .action(async (text: string, options: Options) => {
      const client = await connect(context, options);
      const found = await client.warehousesGet({ id: await findWarehouseId(client, text) });
      printDocument(context, options, found, () => formatWarehouse(found));
    });
  return addOutputOption(addConnectionOptions(command));
}

function formatWarehouse(warehouse: WarehouseDocument): string {
  const { odbc_params: place, health } = warehouse;
  return formatFields([
    ['warehouse', warehouse.id],
    ['name', warehouse.name],
    ['state', warehouse.state],
    ['size', warehouse.cluster_size ?? '-'],
    ['auto stop', minutesOf(warehouse)],
    ['sessions', String(warehouse.num_active_sessions)],
    ['host', `${place.hostname}:${place.port}`],
    ['HTTP path', place.path],
    ['health', health.message ? `${health.status}: ${health.message}` : health.status],
  ]);
}

function createCreateCommand(context: CliContext): Command {
  const command = addDocumentOptions(new Command('create'), 'what it is, as JSON')
    .description('make a warehouse; it starts')
    .addHelpText('after', example(`warehouses create --json '{"name": "bi", "cluster_size": "Small"}'`))
    .action(async (options: Options & DocumentOptions) => {
      const document = await readDocument(context, options);
      const client = await connect(context, options);
      // Whatever is wrong with it, the server says.
      const made = await client.warehousesCreate(document as Parameters<typeof client.warehousesCreate>[0]);
      printDocument(context, options, made, () => `warehouse ${made.id} created`);
    });
  return addOutputOption(addConnectionOptions(command));
}

function createEditCommand(context: CliContext): Command {
  const command = addDocumentOptions(new Command('edit'), 'the fields that change, as JSON')
    .description('change a warehouse; with another size one that runs is restarted')
    .argument('<warehouse>', 'an id or a name')
    .addHelpText('after', example(`warehouses edit bi --json '{"auto_stop_mins": 10}'`))
    .action(async (text: string, options: ConnectionOptions & DocumentOptions) => {
      const document = await readDocument(context, options);
      const client = await connect(context, options);
      const id = await findWarehouseId(client, text);
      await client.warehousesEdit({ ...document, id });
      print(context, `warehouse ${id} was changed`);
    });
  return addConnectionOptions(command);
}

function createStartCommand(context: CliContext): Command {
  const command = new Command('start')
    .description('start a warehouse and wait until it runs')
    .argument('<warehouse>', 'an id or a name')
    .option('--no-wait', 'return at once')
    .addHelpText('after', example('warehouses start bi'))
    .action(async (text: string, options: Waiting) => {
      const client = await connect(context, options);
      const id = await findWarehouseId(client, text);
      await client.warehousesStart({ id });
      if (options.wait) await waitFor(client, id, 'RUNNING');
      print(context, options.wait ? `warehouse ${id} runs` : `warehouse ${id} is starting`);
    });
  return addConnectionOptions(command);
}

function createStopCommand(context: CliContext): Command {
  const command = new Command('stop')
    .description('stop a warehouse; statements that run on it fail')
    .argument('<warehouse>', 'an id or a name')
    .option('--no-wait', 'return at once')
    .addHelpText('after', example('warehouses stop bi'))
    .action(async (text: string, options: Waiting) => {
      const client = await connect(context, options);
      const id = await findWarehouseId(client, text);
      await client.warehousesStop({ id });
      if (options.wait) await waitFor(client, id, 'STOPPED');
      print(context, options.wait ? `warehouse ${id} is stopped` : `warehouse ${id} is stopping`);
    });
  return addConnectionOptions(command);
}

const waitPollMs = 500;

async function waitFor(client: Client, id: string, wanted: 'RUNNING' | 'STOPPED'): Promise<void> {
  for (;;) {
    const { state, health } = await client.warehousesGet({ id });
    if (state === wanted) return;
    if (wanted === 'RUNNING' && state === 'STOPPED')
      throw new CommandError(`warehouse ${id} did not start: ${health.message ?? health.status}`, {
        exitCode: exitCodes.failed,
      });
    await new Promise((resolve) => setTimeout(resolve, waitPollMs));
  }
}

function createDeleteCommand(context: CliContext): Command {
  const command = new Command('delete')
    .description('stop a warehouse and delete it')
    .argument('<warehouse>', 'an id or a name')
    .option('--auto-approve', 'do not ask')
    .addHelpText('after', example('warehouses delete bi'))
    .action(async (text: string, options: ConnectionOptions & { readonly autoApprove?: boolean }) => {
      const client = await connect(context, options);
      const id = await findWarehouseId(client, text);
      await approve(context, `What runs on warehouse ${id} ends.`, options);
      await client.warehousesDelete({ id });
      print(context, `warehouse ${id} is deleted`);
    });
  return addConnectionOptions(command);
}

function createConfigCommand(context: CliContext): Command {
  const command = new Command('config')
    .description('show what holds for all warehouses')
    .addHelpText('after', example('warehouses config'))
    .action(async (options: Options) => {
      const client = await connect(context, options);
      const found = await client.warehouseConfigGet({});
      printDocument(context, options, found, () =>
        formatFields([
          ['security policy', found.security_policy],
          ['channel', found.channel.name ?? '-'],
          ['types', found.enabled_warehouse_types.map((type) => type.warehouse_type).join(', ')],
        ]),
      );
    });
  return addOutputOption(addConnectionOptions(command));
}

const statementCharsShown = 80;

function createHistoryCommand(context: CliContext): Command {
  const command = new Command('history')
    .description('list statements that ran, the newest first')
    .option('--failed', 'only those that failed')
    .addHelpText('after', example('warehouses history --failed'))
    .action(async (options: Options & { readonly failed?: boolean }) => {
      const client = await connect(context, options);
      const listed = await client.queryHistoryList({
        ...(options.failed && { 'filter_by.statuses': ['FAILED'] }),
      });
      printTable(context, options, listed, () => ({
        columns: ['id', 'status', 'user', 'statement'],
        rows: listed.res.map((query) => [
          query.query_id,
          query.status,
          query.user_name,
          query.query_text.replaceAll(/\s+/g, ' ').slice(0, statementCharsShown),
        ]),
        empty: 'no statements',
      }));
    });
  return addOutputOption(addConnectionOptions(command));
}
