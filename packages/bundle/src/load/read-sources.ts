// The text of the configuration files that findings point into, so that they can be shown with the lines around.

import { lstat, readFile } from 'node:fs/promises';
import path from 'node:path';
import { toLines } from '../code-frame.ts';
import type { Problem, Sources } from '../problem.ts';

/** Larger files are not read again for a few lines. */
const SOURCE_BYTES_MAX = 10 * 1024 * 1024;

export async function readSources(folder: string, problems: readonly Problem[]): Promise<Sources> {
  const sources = new Map<string, readonly string[]>();
  for (const file of new Set(problems.map((problem) => problem.file))) {
    const text = /\.(ya?ml|json)$/.test(file) ? await readText(path.join(folder, file)) : null;
    if (text !== null) sources.set(file, toLines(text));
  }
  return sources;
}

/** null: there is nothing to show, which the finding itself has said if it matters. */
async function readText(file: string): Promise<string | null> {
  try {
    const status = await lstat(file);
    if (!status.isFile() || status.size > SOURCE_BYTES_MAX) return null;
    return new TextDecoder('utf-8', { fatal: true }).decode(await readFile(file));
  } catch {
    return null;
  }
}
