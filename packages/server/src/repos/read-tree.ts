/**
 * What a checkout becomes in the workspace: source notebooks lose their extension, as in any import. Pure but for
 * the reading of files.
 */
import crypto from 'node:crypto';
import fs from 'node:fs/promises';
import path from 'node:path';
import { ApiError } from '@headrace/api';
import { planImport, type WorkspaceLanguage } from '../workspace/notebook-source.ts';

export interface TreeFile {
  /** In the workspace. */
  readonly path: string;
  readonly language: WorkspaceLanguage | null;
  readonly sizeBytes: number;
  readonly hash: string;
  /** On this machine. */
  readonly source: string;
}

/** Each is a row and a blob; larger repositories are for jobs, which read a checkout instead. */
export const folderFilesMax = 10_000;
/** As an import takes; what is larger belongs into a volume. */
const fileBytesMax = 100 * 1024 ** 2;

export async function readTree(checkout: string, { root }: { readonly root: string }): Promise<TreeFile[]> {
  const names = await listFiles(checkout, '');
  if (names.length > folderFilesMax) {
    throw new ApiError(
      'INVALID_PARAMETER_VALUE',
      `the repository has ${names.length} files, and a Git folder may have ${folderFilesMax}: give sparse_checkout patterns`,
    );
  }
  const taken = new Set(names.flatMap((name) => [name, ...foldersOf(name)]));
  const files: TreeFile[] = [];
  for (const name of names) files.push(await readFile(checkout, name, { root, taken }));
  return files;
}

async function readFile(
  checkout: string,
  name: string,
  { root, taken }: { readonly root: string; readonly taken: Set<string> },
): Promise<TreeFile> {
  const source = path.join(checkout, name);
  const { size } = await fs.stat(source);
  if (size > fileBytesMax) {
    throw new ApiError(
      'INVALID_PARAMETER_VALUE',
      `${name} has ${size} bytes, and a file of a Git folder may have ${fileBytesMax}`,
    );
  }
  const content = await fs.readFile(source);
  const plan = planImport({ path: name, format: 'AUTO', language: undefined, content });
  // Where the name without extension stands for something else, the file keeps its own.
  const isNotebook = plan.kind === 'notebook' && !taken.has(plan.path);
  if (isNotebook) taken.add(plan.path);
  return {
    path: `${root}/${isNotebook ? plan.path : name}`,
    language: isNotebook ? plan.language : null,
    sizeBytes: size,
    hash: hashOf(content),
    source,
  };
}

export function hashOf(content: Uint8Array): string {
  return crypto.createHash('sha256').update(content).digest('base64url');
}

async function listFiles(checkout: string, below: string): Promise<string[]> {
  const names: string[] = [];
  for (const entry of await fs.readdir(path.join(checkout, below), { withFileTypes: true })) {
    const name = below === '' ? entry.name : `${below}/${entry.name}`;
    if (entry.isDirectory()) names.push(...(await listFiles(checkout, name)));
    else if (entry.isFile()) names.push(name);
  }
  return names.sort();
}

/** `a`, `a/b` of `a/b/c`. */
export function foldersOf(name: string): string[] {
  const parts = name.split('/').slice(0, -1);
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'));
}
