/** Paths of the workspace: absolute, without the alias prefix `/Workspace`, without a slash at the end. */
import { ApiError } from '@headrace/api';

export const blobRoot = 'workspace';
/** Checkouts of runs lie there: tasks read them, and nobody else reaches them. */
export const internalFolder = '/Repos/.internal';

export function normalizePath(path: string): string {
  const parts = path.split('/').slice(1);
  if (parts.at(-1) === '') parts.pop();
  if (parts[0] === 'Workspace') parts.shift();
  if (!path.startsWith('/') || parts.some((part) => part === '' || part === '.' || part === '..')) {
    throw new ApiError(
      'INVALID_PARAMETER_VALUE',
      `path: "${path.slice(0, 200)}" is not an absolute path of the workspace`,
    );
  }
  const normalized = `/${parts.join('/')}`;
  if (normalized === internalFolder || normalized.startsWith(`${internalFolder}/`)) {
    throw new ApiError(
      'INVALID_PARAMETER_VALUE',
      `path: ${internalFolder} holds the checkouts of runs, for tasks to read`,
    );
  }
  return normalized;
}

export function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/';
}

/** `/`, `/a`, `/a/b`: the folders of a path, the path itself last. */
export function ancestorsOf(path: string): string[] {
  if (path === '/') return ['/'];
  return [...ancestorsOf(parentOf(path)), path];
}

/** The key in the blob store. */
export function toBlobKey(path: string): string {
  return path === '/' ? blobRoot : `${blobRoot}${path}`;
}
