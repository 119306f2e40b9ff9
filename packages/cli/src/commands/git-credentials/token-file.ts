/** A token comes from a file or from standard input: of an option, everybody on the machine could read it. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { text as readAll } from 'node:stream/consumers';
import { Option } from 'commander';
import type { CliContext } from '../../cli-context.ts';
import { CommandError, exitCodes } from '../../command-error.ts';

export const tokenFileOption = () =>
  new Option('--token-file <file>', 'file with the personal access token; - reads standard input');

export async function readTokenFile(context: CliContext, file: string): Promise<string> {
  const token = (file === '-' ? await readAll(process.stdin) : await readNamed(context, file)).trim();
  if (token !== '') return token;
  throw new CommandError(`${file === '-' ? 'standard input' : file} holds no token`, {
    exitCode: exitCodes.usage,
  });
}

async function readNamed({ folder }: CliContext, file: string): Promise<string> {
  try {
    return await readFile(path.resolve(folder, file), 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new CommandError(`${file} cannot be read (${code})`, { exitCode: exitCodes.usage, cause: error });
  }
}
