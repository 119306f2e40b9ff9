/** A child process to its end, its output on our own terminal or in a file, for the scripts of this folder. */
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = join(dirname(fileURLToPath(import.meta.url)), '..');
export const python = join(root, '.runtime', 'python', 'bin', 'python');

export interface CommandOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** A file that takes its output, instead of our own terminal. */
  readonly outputFile?: string;
}

/** The exit code; a death by signal counts as 1. */
export function runCommand(command: string, args: readonly string[], options: CommandOptions = {}) {
  const { PYTHONDONTWRITEBYTECODE: _, ...inherited } = process.env;
  const output = options.outputFile === undefined ? null : openSync(options.outputFile, 'a');
  return new Promise<number>((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.cwd ?? root,
      env: { ...inherited, ...options.env },
      stdio: output === null ? 'inherit' : ['ignore', output, output],
    });
    if (output !== null) closeSync(output);
    child.on('error', (cause) => reject(new Error(`cannot start ${command}`, { cause })));
    child.on('exit', (code) => resolve(code ?? 1));
  });
}
