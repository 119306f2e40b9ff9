/** Why a server did not start, from what it said: its own sentence where it has one, and what to do. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { CliContext } from '../cli-context.ts';
import { CommandError, exitCodes } from '../command-error.ts';

const linesShown = 20;
/** pino: 30 is information, 40 a warning. */
const warningLevel = 40;

interface StartFiles {
  readonly logFile: string;
  /** Earlier starts wrote what is before it. */
  readonly logOffset: number;
  readonly outFile: string;
}

export async function explainFailedStart(
  context: CliContext,
  error: unknown,
  files: StartFiles,
): Promise<CommandError> {
  const [log, out] = await Promise.all([
    readFrom(files.logFile, files.logOffset),
    readFrom(files.outFile, 0),
  ]);
  const lines = [...toLines(out), ...toLines(log).flatMap(toWords)].slice(-linesShown);
  const runtimeFile = path.join(context.settings.runtimeDir, 'runtime.json');
  const cure = existsSync(runtimeFile)
    ? `the whole log: ${files.logFile}`
    : `set-up has not run, there is no ${runtimeFile}: run \`npm run setup\` in the checkout`;
  const message = error instanceof Error ? error.message : String(error);
  return new CommandError([message, ...lines].join('\n'), { exitCode: exitCodes.failed, cure, cause: error });
}

async function readFrom(file: string, offset: number): Promise<string> {
  const bytes = await readFile(file).catch(() => Buffer.alloc(0));
  return bytes.subarray(offset).toString('utf8');
}

function toLines(text: string): string[] {
  return text.split('\n').filter((line) => line.trim() !== '');
}

/** Of the log's own lines only the warnings and errors, in words; all else as it stands. */
function toWords(line: string): string[] {
  if (!line.startsWith('{')) return [line];
  try {
    const { level, msg, err } = JSON.parse(line);
    if (level < warningLevel) return [];
    return [err?.message === undefined ? String(msg) : `${msg}: ${err.message}`];
  } catch {
    return [line]; // Cut short: the server died while it wrote.
  }
}
