/** A file's bytes as they are sent: all of them, or the part that the header Range asks for. */
import { ApiError, type StreamedReply } from '@headrace/api';
import type { RawRequest } from '../context.ts';
import type { Place } from './find-place.ts';

export async function readFile({ tree, parts, shown }: Place, raw: RawRequest): Promise<StreamedReply> {
  const file = await tree.open(parts);
  if (!file) throw new ApiError('RESOURCE_DOES_NOT_EXIST', `path: there is no file ${shown}`);
  const { handle, sizeBytes } = file;
  try {
    checkUnmodified(raw.header('if-unmodified-since'), file.modifiedAtMs);
    const range = readRange(raw.header('range'), sizeBytes);
    const [start, end] = range ?? [0, sizeBytes - 1];
    const headers = {
      ...describeFile({ sizeBytes: end - start + 1, modifiedAtMs: file.modifiedAtMs }),
      ...(range ? { 'content-range': `bytes ${start}-${end}/${sizeBytes}` } : {}),
    };
    // The stream closes the file, also when nobody reads it to its end.
    const body = end < start ? null : handle.createReadStream({ start, end });
    if (body === null) await handle.close();
    return { status: range ? 206 : 200, headers, body };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

export function describeFile(file: { sizeBytes: number; modifiedAtMs: number }): Record<string, string> {
  return {
    'content-length': String(file.sizeBytes),
    'content-type': 'application/octet-stream',
    'last-modified': new Date(file.modifiedAtMs).toUTCString(),
    'accept-ranges': 'bytes',
  };
}

/** Whoever continues a download must not get the rest of another file. */
function checkUnmodified(header: string | null, modifiedAtMs: number): void {
  const since = header === null ? Number.NaN : Date.parse(header);
  // The header knows whole seconds only.
  if (Number.isNaN(since) || Math.floor(modifiedAtMs / 1_000) * 1_000 <= since) return;
  throw new ApiError('PRECONDITION_FAILED', 'the file was changed after If-Unmodified-Since');
}

/** First and last byte; null for the whole file. One range: several at once nobody asks for, they get the whole. */
function readRange(header: string | null, sizeBytes: number): [number, number] | null {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header?.trim() ?? '');
  const [, from = '', to = ''] = match ?? [];
  if (!match || (from === '' && to === '')) return null;
  const start = from === '' ? Math.max(0, sizeBytes - Number(to)) : Number(from);
  const end = from === '' || to === '' ? sizeBytes - 1 : Math.min(Number(to), sizeBytes - 1);
  if (start <= end && start < sizeBytes) return [start, end];
  throw new ApiError('RANGE_NOT_SATISFIABLE', `range: ${header} is not in a file of ${sizeBytes} bytes`);
}
