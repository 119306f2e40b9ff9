import { type DirectoryEntry, directoryPageMax } from '@headrace/api';
import { z } from 'zod';
import { decodePageToken, encodePageToken } from '../http/page-token.ts';
import type { Place } from './find-place.ts';

const NamePosition = z.object({ after: z.string().min(1).max(255) });

export async function listFolder(
  { tree, parts, shown }: Place,
  request: { page_size: number; page_token: string },
): Promise<{ contents: DirectoryEntry[]; next_page_token?: string }> {
  const limit = request.page_size === 0 ? directoryPageMax : Math.min(request.page_size, directoryPageMax);
  const after = decodePageToken(request.page_token, NamePosition)?.after ?? '';
  const { entries, lastName } = await tree.list(parts, { after, limit });
  return {
    contents: entries.map(({ name, kind, sizeBytes, modifiedAtMs }) => ({
      path: `${shown}/${name}`,
      name,
      is_directory: kind === 'folder',
      ...(kind === 'file' ? { file_size: sizeBytes } : {}),
      last_modified: modifiedAtMs,
    })),
    ...(lastName === null ? {} : { next_page_token: encodePageToken({ after: lastName }) }),
  };
}
