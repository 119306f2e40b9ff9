// One local file: its size, and whether it is a notebook.

import { createHash } from 'node:crypto';
import { lstat, open } from 'node:fs/promises';
import path from 'node:path';

/** What workspace/import takes. */
export const FILE_BYTES_MAX = 10 * 1024 * 1024;
const SOURCE_LANGUAGES: Readonly<Record<string, { language: NotebookLanguage; comment: string }>> = {
  '.py': { language: 'PYTHON', comment: '#' },
  '.sql': { language: 'SQL', comment: '--' },
  '.scala': { language: 'SCALA', comment: '//' },
  '.r': { language: 'R', comment: '#' },
};

export type NotebookLanguage = 'PYTHON' | 'SQL' | 'SCALA' | 'R';

export interface LocalFile {
  /** Relative to the bundle folder, with forward slashes; from `../` on where sync.paths leads out of it. */
  readonly path: string;
  readonly sizeBytes: number;
  readonly notebook: { readonly language: NotebookLanguage; readonly format: 'SOURCE' | 'JUPYTER' } | null;
  /** .gitignore names it; some target's sync.include may bring it back. */
  readonly isIgnored?: true;
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
    const length = expected.length + BOM_BYTES;
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, 0);
    const head = buffer
      .subarray(0, bytesRead)
      .toString('utf8')
      .replace(/^\uFEFF/, '');
    return head.startsWith(expected) ? { language: source.language, format: 'SOURCE' } : null;
  } finally {
    await file.close();
  }
}

const BOM_BYTES = 3;

export function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
}

export function sha256(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}
