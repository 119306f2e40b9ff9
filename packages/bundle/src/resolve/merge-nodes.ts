// A target laid over the bundle: mappings join, known lists join by their key, everything else is replaced.

import { type Entry, isEmpty, type ListNode, type MappingNode, type Node, textAt } from '../nodes.ts';

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

function mergeValues(base: Node, override: Node, name: string): Node {
  if (base.kind === 'mapping' && override.kind === 'mapping') return mergeNodes(base, override);
  const key = LIST_KEYS[name];
  if (key !== undefined && base.kind === 'list' && override.kind === 'list' && isKeyed(override, key)) {
    return mergeLists(base, override, key);
  }
  return override;
}

function isKeyed(list: ListNode, key: string): boolean {
  return list.entries.every((entry) => textAt(entry, key) !== null);
}

function mergeLists(base: ListNode, override: ListNode, key: string): ListNode {
  const entries = [...base.entries];
  for (const changed of override.entries) {
    const index = entries.findIndex((entry) => textAt(entry, key) === textAt(changed, key));
    const before = entries[index];
    if (before?.kind === 'mapping' && changed.kind === 'mapping')
      entries[index] = mergeNodes(before, changed);
    else entries.push(changed);
  }
  return { ...base, entries };
}
