// The order in which resources are made: what is referred to comes first.

import type { ResolvedResource } from '../resolve/resolved-bundle.ts';
import { rankOf } from './kinds/kinds.ts';
import { referencesIn } from './resource-ids.ts';

/** By kind, then as the files have them; a reference goes before either. Circles are a finding of validate. */
export function orderResources(resources: readonly ResolvedResource[]): ResolvedResource[] {
  const byName = new Map(resources.map((resource) => [nameOf(resource), resource]));
  const ordered = new Set<ResolvedResource>();
  const visiting = new Set<ResolvedResource>();
  const visit = (resource: ResolvedResource): void => {
    if (ordered.has(resource) || visiting.has(resource)) return;
    visiting.add(resource);
    for (const name of referencesIn(resource.settings)) {
      const other = byName.get(name);
      if (other !== undefined) visit(other);
    }
    visiting.delete(resource);
    ordered.add(resource);
  };
  for (const resource of resources.toSorted((a, b) => rankOf(a.kind) - rankOf(b.kind))) visit(resource);
  return [...ordered];
}

export function nameOf({ kind, key }: Pick<ResolvedResource, 'kind' | 'key'>): string {
  return `${kind}.${key}`;
}
