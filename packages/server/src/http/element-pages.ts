/** Long arrays of a document, a page at a time. Clients append what each page brings, so no page repeats another. */
import { expandedElementsMax } from '@headrace/api';

export interface ElementPage<Value> {
  readonly document: Value;
  readonly hasMore: boolean;
  /** Where the next page begins. */
  readonly next: number;
}

/** Each of `fields` that is an array is cut to the elements from `from`; other fields stay. */
export function cutElements<Value extends object>(
  document: Value,
  fields: readonly string[],
  from: number,
): ElementPage<Value> {
  const cut: Record<string, unknown> = {};
  let hasMore = false;
  for (const [name, value] of Object.entries(document)) {
    if (!fields.includes(name) || !Array.isArray(value)) continue;
    cut[name] = value.slice(from, from + expandedElementsMax);
    if (value.length > from + expandedElementsMax) hasMore = true;
  }
  return { document: { ...document, ...cut }, hasMore, next: from + expandedElementsMax };
}
