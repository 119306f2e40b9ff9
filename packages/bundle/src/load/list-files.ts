// The files below a bundle folder that may be sent: not the ones its .gitignore files name, within a limit.

import { createHash } from 'node:crypto';
import { lstat, open, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import ignore, { type Ignore } from 'ignore';
import { errorAt, type Problem, warningAt } from '../problem.ts';

/** More is nearly always a virtual environment or data that .gitignore should name. */
export const FILES_MAX = 5_000;
/** What workspace/import takes. */
export const FILE_BYTES_MAX = 10 * 1024 * 1024;
const FOLDERS_NEVER_SENT = ['.git', '.headrace', '.databricks', 'node_modules', '.venv', '__pycache__'];
const SOURCE_LANGUAGES: Readonly<Record<string, { language: NotebookLanguage; comment: string }>> = {
  '.py': { language: 'PYTHON', comment: '#' },
  '.sql': { language: 'SQL', comment: '--' },
  '.scala': { language: 'SCALA', comment: '//' },
  '.r': { language: 'R', comment: '#' },
};

export type NotebookLanguage = 'PYTHON' | 'SQL' | 'SCALA' | 'R';

export interface LocalFile {
  /** Relative to the bundle folder, with forward slashes. */
  readonly path: string;
  readonly sizeBytes: number;
  readonly notebook: { readonly language: NotebookLanguage; readonly format: 'SOURCE' | 'JUPYTER' } | null;
}

export interface FileListing {
  readonly files: readonly LocalFile[];
  readonly problems: readonly Problem[];
}

interface Rules {
  readonly folder: string;
  readonly matcher: Ignore;
}

export async function listFiles(root: string): Promise<FileListing> {
  const files: LocalFile[] = [];
  const problems: Problem[] = [];
  const pending: { folder: string; rules: readonly Rules[] }[] = [{ folder: '', rules: [] }];
  for (let next = pending.shift(); next !== undefined; next = pending.shift()) {
    const rules = await withGitignore(root, next.folder, next.rules);
    for (const entry of await sortedEntries(path.join(root, next.folder))) {
      const relative = next.folder === '' ? entry.name : `${next.folder}/${entry.name}`;
      if (entry.isSymbolicLink()) {
        problems.push(
          warningAt({ file: relative, line: 1, column: 1 }, 'is a symbolic link, which is not sent'),
        );
      } else if (entry.isDirectory()) {
        if (!FOLDERS_NEVER_SENT.includes(entry.name) && !isIgnored(rules, `${relative}/`)) {
          pending.push({ folder: relative, rules });
        }
      } else if (entry.isFile() && !isIgnored(rules, relative)) {
        files.push(await describeFile(root, relative));
      }
      if (files.length > FILES_MAX) {
        const message = `more than ${FILES_MAX} files below the bundle folder (the last one seen: ${relative}); name what is not to be sent in .gitignore`;
        return { files: [], problems: [errorAt({ file: 'databricks.yml', line: 1, column: 1 }, message)] };
      }
    }
  }
  return { files: files.sort((a, b) => (a.path < b.path ? -1 : 1)), problems };
}

async function sortedEntries(folder: string) {
  const entries = await readdir(folder, { withFileTypes: true });
  return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function withGitignore(
  root: string,
  folder: string,
  rules: readonly Rules[],
): Promise<readonly Rules[]> {
  try {
    const text = await readFile(path.join(root, folder, '.gitignore'), 'utf8');
    return [...rules, { folder, matcher: ignore().add(text) }];
  } catch (error) {
    if (isMissing(error)) return rules;
    throw new Error(`cannot read ${path.join(root, folder, '.gitignore')}`, { cause: error });
  }
}

function isIgnored(rules: readonly Rules[], relative: string): boolean {
  // The deepest .gitignore has the last word; within it `!` brings a file back.
  for (const { folder, matcher } of rules.toReversed()) {
    const verdict = matcher.test(folder === '' ? relative : relative.slice(folder.length + 1));
    if (verdict.ignored) return true;
    if (verdict.unignored) return false;
  }
  return false;
}

export async function describeFile(root: string, relative: string): Promise<LocalFile> {
  const absolute = path.join(root, relative);
  const { size } = await lstat(absolute);
  return { path: relative, sizeBytes: size, notebook: await detectNotebook(absolute) };
}

async function detectNotebook(absolute: string): Promise<LocalFile['notebook']> {
  const extension = path.extname(absolute).toLowerCase();
  if (extension === '.ipynb') return { language: 'PYTHON', format: 'JUPYTER' };
  const source = SOURCE_LANGUAGES[extension];
  if (source === undefined) return null;
  const expected = `${source.comment} Databricks notebook source`;
  const file = await open(absolute);
  try {
    const { buffer, bytesRead } = await file.read(
      Buffer.alloc(expected.length + 3),
      0,
      expected.length + 3,
      0,
    );
    const head = buffer
      .subarray(0, bytesRead)
      .toString('utf8')
      .replace(/^\uFEFF/, '');
    return head.startsWith(expected) ? { language: source.language, format: 'SOURCE' } : null;
  } finally {
    await file.close();
  }
}

export function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
}

export function sha256(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}
