/** A document that is sent as it is written: the server says what is wrong with it, as for every client. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { CliContext } from '../../cli-context.ts';
import { CommandError, exitCodes } from '../../command-error.ts';

export async function readJsonFile(context: CliContext, file: string): Promise<Record<string, unknown>> {
  try {
    const document: unknown = JSON.parse(await readFile(path.resolve(context.folder, file), 'utf8'));
    if (typeof document !== 'object' || document === null || Array.isArray(document))
      throw new Error('it is no JSON object');
    return { ...document };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CommandError(`cannot read ${file}: ${reason}`, { exitCode: exitCodes.usage, cause });
  }
}
