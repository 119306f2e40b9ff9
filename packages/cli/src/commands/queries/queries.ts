/** `headrace queries …`: saved queries. A text comes from the command line, or from a file. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { Command } from 'commander';
import type { CliContext } from '../../cli-context.ts';
import { CommandError, exitCodes } from '../../command-error.ts';
import { addConnectionOptions, type ConnectionOptions, connect } from '../../connection.ts';
import { addOutputOption, type OutputOptions, print, printDocument, printTable } from '../../output/print.ts';
import { approve } from '../approve.ts';
import { example } from '../example.ts';
import { addDocumentOptions, type DocumentOptions, readDocumentIfGiven } from '../json-document.ts';

type Options = ConnectionOptions & OutputOptions;
interface TextOptions extends Options, DocumentOptions {
  readonly query?: string;
  readonly file?: string;
  readonly name?: string;
  readonly description?: string;
  readonly warehouse?: string;
  readonly catalog?: string;
  readonly schema?: string;
}

/** Beyond it, `--output json` and the API's own pages. */
const listedMax = 1_000;

export function createQueryCommands(context: CliContext): Command[] {
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
    .description('list saved queries, newest first')
    .addHelpText('after', example('queries list'))
    .action(async (options: Options) => {
      const client = await connect(context, options);
      const results: Awaited<ReturnType<typeof client.queriesList>>['results'] = [];
      let token: string | undefined = '';
      while (token !== undefined && results.length < listedMax) {
        const page: Awaited<ReturnType<typeof client.queriesList>> = await client.queriesList({
          page_size: 100,
          page_token: token,
        });
        results.push(...page.results);
        token = page.next_page_token;
      }
      printTable(context, options, { results }, () => ({
        columns: ['id', 'name', 'owner', 'updated'],
        rows: results.map((query) => [
          query.id,
          query.display_name,
          query.owner_user_name,
          query.update_time,
        ]),
        empty: 'no saved queries: `headrace queries create` makes one',
      }));
    });
  return addOutputOption(addConnectionOptions(command));
}

function createGetCommand(context: CliContext): Command {
  const command = new Command('get')
    .description('show the text of one query; -o json shows all of it')
    .argument('<id>', 'as `queries list` shows it')
    .addHelpText('after', example('queries get 2f5c8a40-…'))
    .action(async (id: string, options: Options) => {
      const client = await connect(context, options);
      const query = await client.queriesGet({ id });
      printDocument(context, options, query, () => query.query_text ?? '');
    });
  return addOutputOption(addConnectionOptions(command));
}

function createCreateCommand(context: CliContext): Command {
  const command = addTextOptions(new Command('create'))
    .description('save a query')
    .argument('[name]', 'its name')
    .addHelpText(
      'after',
      example('queries create "sales by region" --file regions.sql --warehouse 475b94ddc7cd5211'),
    )
    .action(async (name: string | undefined, options: TextOptions) => {
      const query = await readFields(context, options, name);
      const client = await connect(context, options);
      const made = await client.queriesCreate({ query });
      printDocument(context, options, made, () => `query ${made.id} created`);
    });
  return addOutputOption(addConnectionOptions(command));
}

function createUpdateCommand(context: CliContext): Command {
  const command = addTextOptions(new Command('update'))
    .description('change what is given of a query')
    .argument('<id>', 'as `queries list` shows it')
    .option('--name <name>', 'its new name')
    .addHelpText('after', example('queries update 2f5c8a40-… --file regions.sql'))
    .action(async (id: string, options: TextOptions) => {
      const query = await readFields(context, options, options.name);
      if (Object.keys(query).length === 0)
        throw new CommandError('nothing to change', {
          exitCode: exitCodes.usage,
          cure: 'give a field, as --query',
        });
      const client = await connect(context, options);
      const changed = await client.queriesUpdate({ id, query, update_mask: Object.keys(query).join(',') });
      printDocument(context, options, changed, () => `query ${id} was changed`);
    });
  return addOutputOption(addConnectionOptions(command));
}

function createDeleteCommand(context: CliContext): Command {
  const command = new Command('delete')
    .description('move a query to the trash; jobs that name it fail')
    .argument('<id>', 'as `queries list` shows it')
    .option('--auto-approve', 'do not ask')
    .addHelpText('after', example('queries delete 2f5c8a40-…'))
    .action(async (id: string, options: ConnectionOptions & { readonly autoApprove?: boolean }) => {
      const client = await connect(context, options);
      await approve(context, `Jobs that run query ${id} will fail.`, options);
      await client.queriesDelete({ id });
      print(context, `query ${id} is in the trash`);
    });
  return addConnectionOptions(command);
}

function addTextOptions(command: Command): Command {
  return addDocumentOptions(command, 'the query as the API takes it, as JSON')
    .option('--query <text>', 'its text')
    .option('--file <path>', 'a file with its text')
    .option('--description <text>', 'what it is for')
    .option('--warehouse <id>', 'the warehouse it belongs to')
    .option('--catalog <name>', 'where its bare names lead')
    .option('--schema <name>', 'where its bare names lead');
}

async function readFields(
  context: CliContext,
  options: TextOptions,
  name: string | undefined,
): Promise<Record<string, unknown>> {
  if (options.query !== undefined && options.file !== undefined)
    throw new CommandError('--query and --file: give one of them', { exitCode: exitCodes.usage });
  const document = (await readDocumentIfGiven(context, options)) ?? {};
  // Also as whoever calls the API writes it.
  const { query: inner } = document;
  const base = typeof inner === 'object' && inner !== null ? inner : document;
  const text =
    options.file === undefined
      ? options.query
      : await readFile(path.resolve(context.folder, options.file), 'utf8');
  const given = {
    display_name: name,
    query_text: text,
    description: options.description,
    warehouse_id: options.warehouse,
    catalog: options.catalog,
    schema: options.schema,
  };
  return { ...base, ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) };
}
