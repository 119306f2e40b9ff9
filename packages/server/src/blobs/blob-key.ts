/** What may be a key, in every store: refused here, it cannot lead out of a folder or mean two things in two stores. */
import { ApiError } from '@headrace/api';

const keyCharsMax = 4_000;
/** The limit of every common file system. */
const partBytesMax = 255;
/** Parts of files being written start so: never listed, and no key holds one. */
export const draftPrefix = '.headrace-draft-';

/** The parts of a key that may be; throws an ApiError for any other. */
export function splitKey(key: string): string[] {
  const parts = key.split('/');
  const isPart = (part: string) =>
    part !== '' && part !== '.' && part !== '..' && !part.includes('\0') && !part.startsWith(draftPrefix);
  if (!parts.every(isPart)) throw new ApiError('INVALID_PARAMETER_VALUE', `not a path: ${key.slice(0, 200)}`);
  if (key.length > keyCharsMax || parts.some((part) => Buffer.byteLength(part) > partBytesMax))
    throw isTooLong(key);
  return parts;
}

export function isTooLong(key: string): ApiError {
  return new ApiError(
    'INVALID_PARAMETER_VALUE',
    `a path, or a name in it, is too long: ${key.slice(0, 200)}`,
  );
}
