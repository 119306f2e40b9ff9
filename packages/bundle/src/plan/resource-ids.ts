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
  for (const { kind, key, field: wanted, match } of pendingResources(value)) {
    const id = ids.get(`${kind}.${key}`);
    const known = id === undefined ? undefined : FROM_ID[wanted]?.(id);
    if (known === undefined) continue;
    if (match === value && field === 'job_id' && /^\d+$/.test(known)) return Number(known);
    text = text.replace(match, () => known);
  }
  return text;
}

const itself = (id: string): string => id;

/** What can be told of a resource once its id is known (resolve/resource-kinds.ts says of which kinds). */
const FROM_ID: Readonly<Record<string, (id: string) => string>> = {
  id: itself,
  job_id: itself,
  cluster_id: itself,
  instance_pool_id: itself,
  policy_id: itself,
  full_name: itself,
  volume_path: (id) => `/Volumes/${id.replaceAll('.', '/')}`,
};

/** The page of a job is known but for its id. */
export function placeUrls(document: Document, host: string): Document {
  return mapTexts(document, (text) =>
    pendingResources(text)
      .filter(({ kind, field }) => kind === 'jobs' && field === 'url')
      .reduce(
        (placed, { key, match }) => placed.replace(match, () => `${host}/jobs/\${resources.jobs.${key}.id}`),
        text,
      ),
  ) as Document; // an object stays one
}

function mapTexts(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === 'string') return value.includes('${') ? change(value) : value;
  if (Array.isArray(value)) return value.map((element) => mapTexts(element, change));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, mapTexts(inner, change)]));
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
