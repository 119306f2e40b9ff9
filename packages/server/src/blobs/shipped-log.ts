/**
 * An attempt's files in the bucket. While it runs, its log is there in parts, each named for its offset, so that it
 * grows without being written anew; at the end comes the whole log, and the parts go.
 */
import type { BlobRange, BlobStat, BlobStore } from './blob-store.ts';

export const partsFolderOf = (key: string): string => `${key}.parts`;

const offsetDigits = 16;

export function partKeyOf(key: string, offset: number): string {
  return `${partsFolderOf(key)}/${String(offset).padStart(offsetDigits, '0')}`;
}

export async function findShipped(remote: BlobStore, key: string): Promise<BlobStat | null> {
  const whole = await remote.stat(key);
  if (whole || !isLog(key)) return whole;
  const parts = await listParts(remote, key);
  const last = parts.at(-1);
  if (last === undefined) return remote.stat(key); // The whole one may have come since.
  return { key, kind: 'file', sizeBytes: last.endOffset, modifiedAtMs: last.modifiedAtMs };
}

export async function getShipped(remote: BlobStore, key: string, range?: BlobRange): Promise<Buffer | null> {
  const whole = await remote.get(key, range);
  if (whole || !isLog(key)) return whole;
  const parts = await listParts(remote, key);
  if (parts.length === 0) return remote.get(key, range);
  const begin = range?.offset ?? 0;
  const end = range ? begin + range.length : Number.POSITIVE_INFINITY;
  const pieces: Buffer[] = [];
  for (const { offset, endOffset } of parts) {
    if (endOffset <= begin || offset >= end) continue;
    const piece = await remote.get(partKeyOf(key, offset));
    if (piece === null) return remote.get(key, range); // Replaced by the whole one.
    pieces.push(piece.subarray(Math.max(0, begin - offset), Math.min(piece.length, end - offset)));
  }
  return Buffer.concat(pieces);
}

export interface LogPart {
  readonly offset: number;
  readonly endOffset: number;
  readonly modifiedAtMs: number | null;
}

/** Without a gap, from the first byte on. */
export async function listParts(remote: BlobStore, key: string): Promise<LogPart[]> {
  const parts: LogPart[] = [];
  for (const { key: partKey, sizeBytes, modifiedAtMs } of await remote.list(partsFolderOf(key))) {
    const offset = Number(partKey.slice(-offsetDigits));
    if (offset !== (parts.at(-1)?.endOffset ?? 0)) break;
    parts.push({ offset, endOffset: offset + sizeBytes, modifiedAtMs });
  }
  return parts;
}

const isLog = (key: string) => key.endsWith('/output.log');
