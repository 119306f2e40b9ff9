// Ids of resources, which only the server gives: `${resources.jobs.daily.id}` in a document.

import { pendingResources } from '../resolve/interpolate.ts';
import type { Document } from './planned-action.ts';

/** By `<kind>.<key>`. */
export type ResourceIds = ReadonlyMap<string, string>;

/** Puts the ids that are known in their places; a job's is a number where the field asks for one. */
export function fillResourceIds(document: Document, ids: ResourceIds): Document {
  return fill(document, '', ids) as Document; // an object stays one
}

function fill(value: unknown, field: string, ids: ResourceIds): unknown {
  if (Array.isArray(value)) return value.map((element) => fill(element, '', ids));
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, fill(inner, key, ids)]));
  }
  return typeof value === 'string' && value.includes('${') ? fillText(value, field, ids) : value;
}

function fillText(value: string, field: string, ids: ResourceIds): string | number {
  let text = value;
  for (const { kind, key, match } of pendingResources(value)) {
    const id = ids.get(`${kind}.${key}`);
    if (id === undefined) continue;
    if (match === value && field === 'job_id' && /^\d+$/.test(id)) return Number(id);
    text = text.replace(match, () => id);
  }
  return text;
}

/** What a document refers to, as `jobs.daily`. */
export function referencesIn(value: unknown): Set<string> {
  const found = new Set<string>();
  collect(value, found);
  return found;
}

function collect(value: unknown, found: Set<string>): void {
  if (typeof value === 'string') {
    if (!value.includes('${')) return;
    for (const { kind, key } of pendingResources(value)) found.add(`${kind}.${key}`);
  } else if (typeof value === 'object' && value !== null) {
    for (const inner of Object.values(value)) collect(inner, found);
  }
}
