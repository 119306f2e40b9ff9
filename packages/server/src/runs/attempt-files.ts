/** What an attempt left in its folder, read by range: the log may be large and may still grow. */
import { NotebookDocument } from '@headrace/api';
import type { BlobStore } from '../blobs/blob-store.ts';

export interface AttemptFolder {
  readonly runId: number;
  readonly attemptId: number;
}

function keyOf({ runId, attemptId }: AttemptFolder, file: string): string {
  return `attempts/${runId}/${attemptId}/${file}`;
}

export interface LogChunk {
  readonly text: string;
  /** In bytes; a range that begins beyond the end is empty. */
  readonly offset: number;
  readonly nextOffset: number;
  readonly sizeBytes: number;
}

/** A range may cut a character; the halves are then replaced. */
export async function readLogChunk(
  blobs: BlobStore,
  folder: AttemptFolder,
  range: { readonly offset: number; readonly limit: number },
): Promise<LogChunk> {
  const key = keyOf(folder, 'output.log');
  const stat = await blobs.stat(key);
  const sizeBytes = stat?.sizeBytes ?? 0;
  if (range.offset >= sizeBytes)
    return { text: '', offset: range.offset, nextOffset: range.offset, sizeBytes };
  const bytes = (await blobs.get(key, { offset: range.offset, length: range.limit })) ?? Buffer.alloc(0);
  return {
    text: bytes.toString('utf8'),
    offset: range.offset,
    nextOffset: range.offset + bytes.length,
    // It may have grown since it was measured.
    sizeBytes: Math.max(sizeBytes, range.offset + bytes.length),
  };
}

/** The end of the log, beginning with a whole line where that is possible. */
export async function readLogTail(
  blobs: BlobStore,
  folder: AttemptFolder,
  bytesMax: number,
): Promise<{ readonly text: string; readonly isCut: boolean }> {
  const stat = await blobs.stat(keyOf(folder, 'output.log'));
  const offset = Math.max(0, (stat?.sizeBytes ?? 0) - bytesMax);
  const { text } = await readLogChunk(blobs, folder, { offset, limit: bytesMax });
  if (offset === 0) return { text, isCut: false };
  return { text: text.slice(text.indexOf('\n') + 1), isCut: true };
}

/** Null before the first cell was written, and for tasks that run no notebook. */
export async function readNotebook(
  blobs: BlobStore,
  folder: AttemptFolder,
): Promise<NotebookDocument | null> {
  const bytes = await blobs.get(keyOf(folder, 'notebook.json'));
  if (!bytes) return null;
  try {
    return NotebookDocument.parse(JSON.parse(bytes.toString('utf8')));
  } catch (cause) {
    throw new Error(`attempt ${folder.attemptId} left a notebook document that cannot be read`, { cause });
  }
}
