/** Where saved queries and alerts lie: a folder by name alone, within which their names are unique. */
import { ApiError } from '@headrace/api';
import type { Principal } from '../context.ts';

export function toParentPath(
  written: string | undefined,
  { userName }: Pick<Principal, 'userName'>,
  field: string,
): string {
  const path = (written ?? '').replace(/\/+$/, '');
  if (path === '') return `/Workspace/Users/${userName}`;
  if (!path.startsWith('/'))
    throw new ApiError('INVALID_PARAMETER_VALUE', `${field}: begins with a slash, as /Workspace/Users/…`);
  return path.startsWith('/Workspace/') ? path : `/Workspace${path}`;
}

/** The name itself, or with the first free number behind it. */
export function findFreeName(name: string, taken: readonly string[]): string {
  const names = new Set(taken);
  if (!names.has(name)) return name;
  let number = 1;
  while (names.has(`${name} (${number})`)) number++;
  return `${name} (${number})`;
}
