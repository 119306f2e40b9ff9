import { createHash } from 'node:crypto';

/** The same for documents that say the same, in whatever order of fields. */
export function fingerprint(document: unknown): string {
  return createHash('sha256')
    .update(JSON.stringify(sortKeys(document)) ?? '')
    .digest('hex')
    .slice(0, 32);
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, inner]): [string, unknown] => [key, sortKeys(inner)]);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}
