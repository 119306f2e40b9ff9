/** Printing results: the API's own document, or a table for people. */
import { type Command, Option } from 'commander';
import type { CliContext } from '../cli-context.ts';
import { formatTable, type Table } from './format-table.ts';

const outputFormats = ['table', 'json'] as const;
type OutputFormat = (typeof outputFormats)[number];

export interface OutputOptions {
  readonly output: OutputFormat;
}

export function addOutputOption(command: Command): Command {
  return command.addOption(
    new Option('-o, --output <format>', 'table for people, json for programs: the body that the API gave')
      .choices(outputFormats)
      .default('table'),
  );
}

export function print(context: CliContext, text: string): void {
  context.stdout.write(`${text}\n`);
}

/** Notes and progress: not part of the result. */
export function note(context: CliContext, text: string): void {
  context.stderr.write(`${text}\n`);
}

export function printDocument(
  context: CliContext,
  options: OutputOptions,
  document: unknown,
  toText: () => string,
): void {
  print(context, options.output === 'json' ? JSON.stringify(document, null, 2) : toText());
}

export function printTable(
  context: CliContext,
  options: OutputOptions,
  document: unknown,
  toTable: () => Table,
): void {
  printDocument(context, options, document, () => formatTable(toTable()));
}
