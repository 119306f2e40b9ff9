/** What is answered when files cannot be used as they are asked for. Anything else is an error of ours. */
import { ApiError } from '@headrace/api';

type Parts = readonly string[];

const show = (parts: Parts) => parts.join('/').slice(0, 200);

export const leadsOut = (parts: Parts) =>
  new ApiError(
    'INVALID_PARAMETER_VALUE',
    `path: a link on the way to ${show(parts)} leads out of where files may be`,
  );
export const fileOnTheWay = (parts: Parts) =>
  new ApiError('INVALID_PARAMETER_VALUE', `path: a file is on the way to ${show(parts)}`);
export const exists = (parts: Parts) =>
  new ApiError('RESOURCE_ALREADY_EXISTS', `path: ${show(parts)} exists already`);
export const isFolder = (parts: Parts) =>
  new ApiError('RESOURCE_ALREADY_EXISTS', `path: ${show(parts) || 'this'} is a folder, not a file`);
export const isMissing = (kind: 'file' | 'folder', parts: Parts) =>
  new ApiError('RESOURCE_DOES_NOT_EXIST', `path: there is no ${kind} ${show(parts) || 'there'}`);
/** No passing error: whoever sends a large file would send it again and again. */
export const diskIsFull = (parts: Parts) =>
  new ApiError('RESOURCE_LIMIT_EXCEEDED', `the server's disk is full: ${show(parts)} was not written`);
const mayNot = (parts: Parts) =>
  new ApiError('PERMISSION_DENIED', `path: the server may not do this with ${show(parts)} on its disk`);
const impossible = (parts: Parts) =>
  new ApiError('INVALID_PARAMETER_VALUE', `path: the server's disk cannot do this with ${show(parts)}`);

const refusals: Readonly<Record<string, (parts: Parts) => ApiError>> = {
  ENOSPC: diskIsFull,
  EDQUOT: diskIsFull,
  EFBIG: diskIsFull,
  EACCES: mayNot,
  EPERM: mayNot,
  EROFS: mayNot,
  EBUSY: mayNot,
  ENAMETOOLONG: impossible,
  EINVAL: impossible,
  ENOTDIR: fileOnTheWay,
  ELOOP: leadsOut,
  EISDIR: isFolder,
  EEXIST: exists,
  ENOTEMPTY: exists,
  // It was there a moment ago.
  ENOENT: (parts) => isMissing('file', parts),
};

/** The answer to an error of the disk; any other error as it is. */
export function toRefusal(error: unknown, parts: Parts): unknown {
  if (error instanceof ApiError) return error;
  const { code, syscall } = error as NodeJS.ErrnoException;
  // Those of the network have codes too.
  if (code === undefined || syscall === 'connect' || syscall === 'read') return error;
  return refusals[code]?.(parts) ?? error;
}

export function hasCode(error: unknown, ...codes: string[]): boolean {
  return codes.includes((error as NodeJS.ErrnoException).code ?? '');
}
