import { ApiError, type DbfsFile, dbfsBlockBytesMax } from '@headrace/api';
import type { TreeEntry } from '../files/file-tree.ts';
import type { Place } from '../files/find-place.ts';

/** A list is one answer and has no pages; a folder with more is read by a program, through its volume. */
const listedFilesMax = 100_000;

export async function readStatus({ tree, parts, shown }: Place): Promise<DbfsFile> {
  const entry = await tree.stat(parts);
  if (!entry) throw missing(shown);
  return toDbfsFile(shown, entry);
}

export async function listFiles({ tree, parts, shown }: Place): Promise<DbfsFile[]> {
  const entry = await tree.stat(parts);
  if (!entry) throw missing(shown);
  if (entry.kind === 'file') return [toDbfsFile(shown, entry)];
  const { entries, lastName } = await tree.list(parts, { after: '', limit: listedFilesMax });
  if (lastName !== null) {
    const text = `path: ${shown} has more than ${listedFilesMax} entries, more than one list may have`;
    throw new ApiError('RESOURCE_LIMIT_EXCEEDED', text);
  }
  return entries.map((each) => toDbfsFile(`${shown === '/' ? '' : shown}/${each.name}`, each));
}

export async function readBlock(
  { tree, parts, shown }: Place,
  { offset, length }: { offset: number; length: number },
): Promise<{ bytes_read: number; data: string }> {
  if (length > dbfsBlockBytesMax) {
    throw new ApiError(
      'MAX_READ_SIZE_EXCEEDED',
      `length: ${length} bytes are more than the ${dbfsBlockBytesMax} that one request may read`,
    );
  }
  const file = await tree.open(parts);
  if (!file) {
    if (await tree.stat(parts)) throw new ApiError('INVALID_PARAMETER_VALUE', `path: ${shown} is a folder`);
    throw missing(shown);
  }
  const { handle, sizeBytes } = file;
  try {
    const buffer = Buffer.alloc(Math.max(0, Math.min(length, sizeBytes - offset)));
    let filled = 0;
    while (filled < buffer.length) {
      const { bytesRead } = await handle.read(buffer, filled, buffer.length - filled, offset + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return { bytes_read: filled, data: buffer.subarray(0, filled).toString('base64') };
  } finally {
    await handle.close();
  }
}

function toDbfsFile(path: string, { kind, sizeBytes, modifiedAtMs }: TreeEntry): DbfsFile {
  return { path, is_dir: kind === 'folder', file_size: sizeBytes, modification_time: modifiedAtMs };
}

export const missing = (shown: string) =>
  new ApiError('RESOURCE_DOES_NOT_EXIST', `path: there is no file or folder ${shown}`);
