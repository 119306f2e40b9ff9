/** A library's document: what identifies it, what it is called in messages, and how it shows. */
import type { LibraryFullStatus, LibrarySpec } from '@headrace/api';
import type { ClusterLibraryRow } from './store.ts';

const kinds = ['whl', 'pypi', 'requirements', 'jar', 'maven', 'egg', 'cran'] as const;

/** Null when there is none. */
export function findLibraryProblem(library: LibrarySpec): string | null {
  const named = kinds.filter((kind) => library[kind] !== undefined);
  if (named.length !== 1)
    return `a library is of one kind (${kinds.join(', ')}), and this one of ${named.join(' and ') || 'none'}`;
  if (library.egg !== undefined) return `eggs are not supported: build a wheel of ${library.egg}`;
  if (library.cran !== undefined)
    return `R is not supported, so neither is the library ${library.cran.package} of CRAN`;
  return null;
}

/** The same for the same library, in whatever order its fields are written. */
export function toLibraryKey(library: LibrarySpec): string {
  return JSON.stringify(sorted(library));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([, each]) => each !== undefined);
  return Object.fromEntries(entries.toSorted().map(([name, each]) => [name, sorted(each)]));
}

/**
 * Tasks bring libraries, each for itself, so a status is what the next one will find: nothing runs (PENDING), a task was
 * told since that it could not be installed (FAILED), or else it is there (INSTALLED).
 */
export function toLibraryStatus({ library, isRunning, failures }: ClusterLibraryRow): LibraryFullStatus {
  const name = nameOf(library);
  const messages = failures.filter((message) => message.includes(name)).slice(0, 1);
  const status = messages.length > 0 ? 'FAILED' : isRunning ? 'INSTALLED' : 'PENDING';
  return {
    library,
    status,
    ...(messages.length > 0 && { messages }),
    is_library_for_all_clusters: false,
  };
}

function nameOf(library: LibrarySpec): string {
  return (
    library.whl ??
    library.jar ??
    library.requirements ??
    library.pypi?.package ??
    library.maven?.coordinates ??
    JSON.stringify(library)
  );
}
