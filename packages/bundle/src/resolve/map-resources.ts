// A copy of a configuration in which each resource went through a change. One pass over the kinds, however many
// resources there are.

import type { Entry, MappingNode, Node } from '../nodes.ts';

export interface ResourcePlace {
  readonly kind: string;
  readonly key: string;
  readonly keyAt: Entry['keyAt'];
}

/** `change` sees only resources that are mappings; others are somebody's mistake and stay for the findings. */
export function mapResources(
  root: MappingNode,
  change: (resource: MappingNode, place: ResourcePlace) => MappingNode,
): MappingNode {
  return mapEntry(root, 'resources', (kinds) =>
    mapEntries(kinds, (group, kind) =>
      mapEntries(group, (resource, key, keyAt) =>
        resource.kind === 'mapping' ? change(resource, { kind, key, keyAt }) : resource,
      ),
    ),
  );
}

function mapEntry(node: MappingNode, wanted: string, change: (value: Node) => Node): MappingNode {
  const entry = node.entries.get(wanted);
  if (entry === undefined) return node;
  const value = change(entry.value);
  if (value === entry.value) return node;
  return { ...node, entries: new Map(node.entries).set(wanted, { ...entry, value }) };
}

function mapEntries(node: Node, change: (value: Node, key: string, keyAt: Entry['keyAt']) => Node): Node {
  if (node.kind !== 'mapping') return node;
  let isChanged = false;
  const entries = new Map<string, Entry>();
  for (const [key, entry] of node.entries) {
    const value = change(entry.value, key, entry.keyAt);
    if (value !== entry.value) isChanged = true;
    entries.set(key, value === entry.value ? entry : { ...entry, value });
  }
  return isChanged ? { ...node, entries } : node;
}
