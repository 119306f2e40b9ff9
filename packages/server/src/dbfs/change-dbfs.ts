/** Writing, moving and deleting files of DBFS, each at once. */
import path from 'node:path';
import { ApiError, dbfsBlockBytesMax } from '@headrace/api';
import { isWithin } from '../blobs/is-within.ts';
import type { Place } from '../files/find-place.ts';
import { missing } from './read-dbfs.ts';

export async function putFile(
  place: Place,
  { contents, overwrite }: { contents: string; overwrite: boolean },
): Promise<void> {
  const bytes = decodeBlock('contents', contents);
  await requireWritable(place, { overwrite });
  await place.tree.write(place.parts, bytes, { overwrite });
}

/** Bytes of a field in base64, no more than one request may carry. */
export function decodeBlock(field: string, text: string): Buffer {
  // White space goes first: a pattern with two parts that match it takes quadratic time.
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text.replace(/\s+/g, '')))
    throw new ApiError('INVALID_PARAMETER_VALUE', `${field}: is not base64`);
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length <= dbfsBlockBytesMax) return bytes;
  throw new ApiError(
    'MAX_BLOCK_SIZE_EXCEEDED',
    `${field}: ${bytes.length} bytes are more than the ${dbfsBlockBytesMax} of one block; create, add-block and close send more`,
  );
}

export async function requireWritable(
  { tree, parts, shown }: Place,
  { overwrite }: { overwrite: boolean },
): Promise<void> {
  const before = await tree.stat(parts);
  if (parts.length === 0 || before?.kind === 'folder') throw taken(`${shown} is a folder`);
  if (before && !overwrite) throw taken(`${shown} exists already; overwrite=true replaces it`);
}

export async function deletePath(
  { tree, parts, shown }: Place,
  { recursive }: { recursive: boolean },
): Promise<void> {
  // An empty variable in a path must not cost everybody's files.
  if (parts.length === 0)
    throw new ApiError(
      'INVALID_PARAMETER_VALUE',
      `path: ${shown} is a root and is not deleted; name what is in it`,
    );
  const entry = await tree.stat(parts);
  if (entry === null) return; // As it should be: who asks again after a lost answer is told the same.
  if (entry.kind === 'file') return tree.removeFile(parts);
  if (await tree.removeFolder(parts, { recursive })) return;
  throw new ApiError('IO_ERROR', `path: folder ${shown} is not empty; recursive=true deletes all in it`);
}

export async function movePath(from: Place, to: Place): Promise<void> {
  if (from.parts.length === 0)
    throw new ApiError('INVALID_PARAMETER_VALUE', `source_path: ${from.shown} is a root and does not move`);
  if ((await from.tree.stat(from.parts)) === null) throw missing(from.shown);
  if (to.parts.length === 0 || (await to.tree.stat(to.parts)) !== null)
    throw taken(`${to.shown} exists already`);
  if (isWithin(placeOf(from), placeOf(to)))
    throw new ApiError('INVALID_PARAMETER_VALUE', `destination_path: ${to.shown} is inside of ${from.shown}`);
  await from.tree.move(from.parts, to.tree, to.parts).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EXDEV') throw error;
    const text = `${from.shown} and ${to.shown} are on different disks: copy the files and delete them`;
    throw new ApiError('INVALID_PARAMETER_VALUE', `destination_path: ${text}`);
  });
}

/** One place may be shown in several ways: names of volumes mean the same in any case. */
const placeOf = ({ tree, parts }: Place) => path.join(tree.folder, ...parts);

const taken = (text: string) => new ApiError('RESOURCE_ALREADY_EXISTS', `path: ${text}`);
