/** A document of the API that a command sends as it is written: from a file, or written out after the option. */
import type { Command } from 'commander';
import type { CliContext } from '../cli-context.ts';
import { CommandError, exitCodes } from '../command-error.ts';
import { readJsonFile } from './jobs/read-json-file.ts';

export interface DocumentOptions {
  readonly jsonFile?: string;
  readonly json?: string;
}

export function addDocumentOptions(command: Command, about: string): Command {
  return command
    .option('--json-file <file>', about)
    .option('--json <document>', 'the same written out, or @FILE');
}

export async function readDocument(
  context: CliContext,
  options: DocumentOptions,
): Promise<Record<string, unknown>> {
  const document = await readDocumentIfGiven(context, options);
  if (document !== undefined) return document;
  throw new CommandError('a document is missing', {
    exitCode: exitCodes.usage,
    cure: 'give --json-file FILE, --json @FILE, or --json and the document',
  });
}

export async function readDocumentIfGiven(
  context: CliContext,
  { jsonFile, json }: DocumentOptions,
): Promise<Record<string, unknown> | undefined> {
  if (jsonFile !== undefined && json !== undefined)
    throw new CommandError('--json and --json-file: give one of them', { exitCode: exitCodes.usage });
  if (jsonFile !== undefined) return readJsonFile(context, jsonFile);
  if (json === undefined) return undefined;
  if (json.startsWith('@')) return readJsonFile(context, json.slice(1));
  try {
    const document: unknown = JSON.parse(json);
    if (typeof document !== 'object' || document === null || Array.isArray(document))
      throw new Error('it is no JSON object');
    return { ...document };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CommandError(`--json: ${reason}`, { exitCode: exitCodes.usage, cause });
  }
}
