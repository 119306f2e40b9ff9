/**
 * Files that Git LFS keeps elsewhere: the repository holds pointers to them, and the content is not fetched. Whoever
 * reads one shall be told, or he looks for the fault in his own code.
 * Format: git-lfs/git-lfs docs/spec.md, v3.5.
 */
import fs from 'node:fs/promises';
import path from 'node:path';

const firstLine = 'version https://git-lfs.github.com/spec/v1\n';
/** By the specification, a pointer is smaller than this. */
const pointerBytesMax = 1024;
/** More names than anybody reads; the number counts all. */
const namedMax = 5;
export const notesFolder = 'headrace-lfs';

export interface TreeEntry {
  readonly name: string;
  readonly sizeBytes: number;
}

/** One sentence for people, or null when all content is there. */
export async function findPointers(folder: string, entries: readonly TreeEntry[]): Promise<string | null> {
  if (!(await mentionsLfs(folder, entries))) return null;
  const found: string[] = [];
  for (const { name, sizeBytes } of entries) {
    if (sizeBytes < firstLine.length || sizeBytes > pointerBytesMax) continue;
    // A name that is no UTF-8 is not found under what became of it.
    const text = await fs.readFile(path.join(folder, name), 'latin1').catch(() => '');
    if (text.startsWith(firstLine)) found.push(name);
  }
  if (found.length === 0) return null;
  const some = found.slice(0, namedMax).join(', ');
  const more = found.length > namedMax ? ` and ${found.length - namedMax} more` : '';
  const what = found.length === 1 ? '1 file is' : `${found.length} files are`;
  return `${what} kept in Git LFS, which is not fetched, so each holds only a pointer: ${some}${more}`;
}

/** Without an attribute there are no pointers but what somebody wrote by hand; most repositories end here. */
async function mentionsLfs(folder: string, entries: readonly TreeEntry[]): Promise<boolean> {
  for (const { name } of entries) {
    if (path.basename(name) !== '.gitattributes') continue;
    const text = await fs.readFile(path.join(folder, name), 'utf8').catch(() => '');
    if (/\bfilter=lfs\b/.test(text)) return true;
  }
  return false;
}

/** Beside the mirror: for those that find the checkout made. */
export async function keepNote(mirror: string, checkout: string, note: string): Promise<void> {
  const folder = path.join(mirror, notesFolder);
  await fs.mkdir(folder, { recursive: true });
  await fs.writeFile(path.join(folder, checkout), note);
}

export async function readNote(mirror: string, checkout: string): Promise<string | null> {
  return fs.readFile(path.join(mirror, notesFolder, checkout), 'utf8').catch(() => null);
}
