// A target laid over the bundle: mappings join, known lists join by their key, everything else is replaced.

import { type Entry, isEmpty, type ListNode, type MappingNode, type Node, textAt } from '../nodes.ts';
import { ownEntry } from '../own-entry.ts';

/** Lists whose elements have an identity, by the name of the list. */
export const LIST_KEYS: Readonly<Record<string, string>> = {
  tasks: 'task_key',
  job_clusters: 'job_cluster_key',
  environments: 'environment_key',
  parameters: 'name',
  clusters: 'label',
};

export function mergeNodes(base: MappingNode, override: MappingNode): MappingNode {
  const entries = new Map<string, Entry>(base.entries);
  for (const [key, entry] of override.entries) {
    const before = entries.get(key);
    if (before === undefined) entries.set(key, entry);
    else if (!isEmpty(entry.value))
      entries.set(key, { keyAt: entry.keyAt, value: mergeValues(before.value, entry.value, key) });
  }
  // A merged mapping is found where it was first written; its parts keep their own places.
  return { ...base, entries };
}

/** One of several fields is given: another one takes its place rather than joining it. */
const CHOICES = ['run_as'];

function mergeValues(base: Node, override: Node, name: string): Node {
  if (CHOICES.includes(name)) return override;
  if (base.kind === 'mapping' && override.kind === 'mapping') return mergeNodes(base, override);
  const key = ownEntry(LIST_KEYS, name);
  if (key !== undefined && base.kind === 'list' && override.kind === 'list' && isKeyed(override, key)) {
    return mergeLists(base, override, key);
  }
  return override;
}

/** What an element without its key means: a pipeline's cluster without a label is the default one. */
const KEY_BY_DEFAULT: Readonly<Record<string, string>> = { label: 'default' };

function keyOf(entry: Node, key: string): string | null {
  return textAt(entry, key) ?? (entry.kind === 'mapping' ? (KEY_BY_DEFAULT[key] ?? null) : null);
}

function isKeyed(list: ListNode, key: string): boolean {
  return list.entries.every((entry) => keyOf(entry, key) !== null);
}

function mergeLists(base: ListNode, override: ListNode, key: string): ListNode {
  const entries = [...base.entries];
  const places = new Map<string, number>();
  entries.forEach((entry, index) => {
    const name = keyOf(entry, key);
    // Of two with one key, which is a mistake of its own, the first is meant.
    if (name !== null && !places.has(name)) places.set(name, index);
  });
  for (const changed of override.entries) {
    const name = keyOf(changed, key) ?? '';
    const place = places.get(name);
    const before = place === undefined ? undefined : entries[place];
    if (place !== undefined && before?.kind === 'mapping' && changed.kind === 'mapping') {
      entries[place] = mergeNodes(before, changed);
    } else {
      places.set(name, entries.length);
      entries.push(changed);
    }
  }
  return { ...base, entries };
}
