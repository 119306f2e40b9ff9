/** `headrace tables list-dropped` and `undrop` */
import { Command } from 'commander';
import type { CliContext } from '../../cli-context.ts';
import { addConnectionOptions, type ConnectionOptions, connect } from '../../connection.ts';
import { addOutputOption, note, type OutputOptions, printDocument, printTable } from '../../output/print.ts';
import { example } from '../example.ts';
import { splitName } from '../volumes/split-name.ts';

type Options = ConnectionOptions & OutputOptions;

export function createTablesCommands(context: CliContext): Command[] {
  return [createListDroppedCommand(context), createUndropCommand(context)];
}

function createListDroppedCommand(context: CliContext): Command {
  const command = new Command('list-dropped')
    .description('list dropped tables that can be restored, the newest first')
    .argument('[schema]', 'catalog.schema (default: all)')
    .option('--page-token <token>', 'go on where an earlier page ended')
    .addHelpText('after', example('tables list-dropped main.default'))
    .action(async (schema: string | undefined, options: Options & { pageToken?: string }) => {
      const names = schema === undefined ? [] : splitName(schema, ['catalog', 'schema']);
      const [catalog_name, schema_name] = names;
      const client = await connect(context, options);
      const { pageToken: page_token } = options;
      const page = await client.droppedTablesList({ catalog_name, schema_name, page_token });
      printTable(context, options, page, () => ({
        columns: ['table', 'id', 'dropped', 'by', 'until'],
        rows: (page.tables ?? []).map((table) => [
          ...[table.full_name, table.table_id, toInstant(table.deleted_at), table.deleted_by],
          toInstant(table.restorable_until),
        ]),
        empty: 'no dropped tables',
      }));
      if (options.output === 'table' && page.next_page_token)
        note(context, `more: headrace tables list-dropped --page-token ${page.next_page_token}`);
    });
  return addOutputOption(addConnectionOptions(command));
}

function createUndropCommand(context: CliContext): Command {
  const command = new Command('undrop')
    .description('restore a dropped table with its files; of several with one name the last')
    .argument('<table>', 'catalog.schema.table, or an id of list-dropped')
    .option('--new-name <name>', 'where its own is taken')
    .addHelpText('after', example('tables undrop main.default.orders'))
    .action(async (wanted: string, options: Options & { newName?: string }) => {
      const client = await connect(context, options);
      const named = wanted.includes('.') ? { full_name: wanted } : { table_id: wanted };
      const table = await client.droppedTablesUndrop({ ...named, new_name: options.newName });
      printDocument(context, options, table, () => `table ${table.full_name} is back`);
    });
  return addOutputOption(addConnectionOptions(command));
}

const toInstant = (atMs: number) => new Date(atMs).toISOString().slice(0, 16).replace('T', ' ');
