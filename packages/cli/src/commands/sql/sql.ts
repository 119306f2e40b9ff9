/** `headrace sql`: a statement, a file of them, or a terminal to type them in. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Client } from '@headrace/api';
import { Command, Option } from 'commander';
import type { CliContext } from '../../cli-context.ts';
import { CommandError, exitCodes } from '../../command-error.ts';
import { addConnectionOptions, type ConnectionOptions, connect, findConnection } from '../../connection.ts';
import { example } from '../example.ts';
import { type SqlFormat, sqlFormats } from './format-result.ts';
import { runInteractive } from './interactive.ts';
import { type SqlParameter, StatementError } from './run-statement.ts';
import { splitAll } from './split-statements.ts';
import { markPlace, SqlRunner } from './sql-runner.ts';

interface SqlOptions extends ConnectionOptions {
  readonly output: SqlFormat;
  readonly file?: string;
  readonly warehouse?: string;
  readonly catalog?: string;
  readonly schema?: string;
  readonly param: readonly SqlParameter[];
}

/** As the file that shells keep; a few screens of it are worth having. */
const historyFile = 'sql-history';
const warehouseIdPattern = /^[0-9a-f]{16}$/;

export function createSqlCommand(context: CliContext): Command {
  const command = new Command('sql')
    .description('run SQL on a warehouse: a statement, a file, or what you type')
    .argument(
      '[statement]',
      'one or several, with semicolons between; without it what you type, or standard input',
    )
    .option('-f, --file <path>', 'run the statements of a file')
    .option('-w, --warehouse <id or name>', 'where it runs; without it the default warehouse')
    .option('--catalog <name>', 'where names of two parts lead')
    .option('--schema <name>', 'where bare names lead')
    .option(
      '-p, --param <name=value>',
      'a value for :name, with its type as name:INT=5; may be repeated',
      addParameter,
      [],
    )
    .addOption(
      new Option('-o, --output <format>', 'table for people; csv or json for programs, with all rows')
        .choices(sqlFormats)
        .default('table'),
    )
    .addHelpText(
      'after',
      example(
        'sql "select * from main.default.trips limit 5"',
        'sql --file report.sql --param day:DATE=2026-03-01 -o csv',
      ),
    )
    .action((statement: string | undefined, options: SqlOptions) => runSql(context, statement, options));
  return addConnectionOptions(command);
}

async function runSql(
  context: CliContext,
  statement: string | undefined,
  options: SqlOptions,
): Promise<void> {
  if (statement !== undefined && options.file !== undefined)
    throw new CommandError('a statement and --file: give one of them', { exitCode: exitCodes.usage });
  const { baseUrl } = await findConnection(context, options);
  // An interrupted command has to say so to the server yet.
  const client = await connect({ ...context, interrupted: new AbortController().signal }, options);
  const openEditor = context.openLineEditor;
  const isTyped = statement === undefined && options.file === undefined && context.isInputTty;
  const texts = isTyped ? [] : splitAll(await readText(context, statement, options.file));
  if (!isTyped && texts.length === 0)
    throw new CommandError('there is no statement to run', { exitCode: exitCodes.usage });
  const place = { warehouseId: await findWarehouse(client, options.warehouse ?? ''), ...namesOf(options) };
  const isSession = isTyped || texts.length > 1;
  const sessionId = isSession ? (await openSession(client, place)).session_id : undefined;
  const runner = new SqlRunner(context, client, {
    place: sessionId === undefined ? place : { warehouseId: place.warehouseId, sessionId },
    format: options.output,
    parameters: options.param,
    serverUrl: baseUrl,
  });
  try {
    if (isTyped) await runInteractive(runner, requireEditor(context, openEditor));
    else await runTexts(runner, texts, context.interrupted);
  } finally {
    if (sessionId !== undefined) await client.sqlSessionsDelete({ session_id: sessionId });
  }
}

/** The first that fails ends it; with several the message says which it was. */
async function runTexts(
  runner: SqlRunner,
  texts: ReturnType<typeof splitAll>,
  signal: AbortSignal,
): Promise<void> {
  for (const [index, { text, line }] of texts.entries()) {
    try {
      runner.show(await runner.run(text, signal));
    } catch (error) {
      if (!(error instanceof StatementError)) throw error;
      const which = texts.length > 1 ? `statement ${index + 1} of ${texts.length}, line ${line}: ` : '';
      throw new CommandError(`${which}${error.message}${markPlace(error, text)}`, {
        exitCode: exitCodes.failed,
      });
    }
  }
}

async function readText(
  context: CliContext,
  statement: string | undefined,
  file: string | undefined,
): Promise<string> {
  if (statement !== undefined) return statement;
  if (file === undefined) return (await context.readInput()).toString('utf8');
  try {
    return await readFile(path.resolve(context.folder, file), 'utf8');
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CommandError(`--file: ${reason}`, { exitCode: exitCodes.usage, cause });
  }
}

function namesOf({ catalog, schema }: SqlOptions): { catalog?: string; schema?: string } {
  return { ...(catalog === undefined ? {} : { catalog }), ...(schema === undefined ? {} : { schema }) };
}

/** Ids stay as they are, known or not: the server says what is wrong with one. */
async function findWarehouse(client: Client, asked: string): Promise<string> {
  if (asked === '' || warehouseIdPattern.test(asked)) return asked;
  const { warehouses = [] } = await client.warehousesList({});
  return warehouses.find(({ name }) => name?.toLowerCase() === asked.toLowerCase())?.id ?? asked;
}

function openSession(
  client: Client,
  { warehouseId, ...names }: { warehouseId: string; catalog?: string; schema?: string },
): Promise<{ session_id: string }> {
  return client.sqlSessionsCreate({ warehouse_id: warehouseId, ...names });
}

function requireEditor(context: CliContext, open: CliContext['openLineEditor']) {
  if (open) return open(path.join(context.settings.stateDir, historyFile));
  throw new CommandError('there is no terminal to type in', {
    exitCode: exitCodes.usage,
    cure: 'give a statement, or --file',
  });
}

function addParameter(written: string, before: readonly SqlParameter[]): readonly SqlParameter[] {
  const match = /^([A-Za-z_]\w*)(?::([^=]+))?=(.*)$/s.exec(written);
  if (!match)
    throw new CommandError(`--param ${written}: expected name=value, or name:TYPE=value`, {
      exitCode: exitCodes.usage,
    });
  const [, name = '', type, value = ''] = match;
  return [
    ...before.filter((each) => each.name !== name),
    { name, value, ...(type === undefined ? {} : { type }) },
  ];
}
