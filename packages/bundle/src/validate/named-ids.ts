// Ids of warehouses, clusters and pools that a bundle names in words: opaque to it, known to a server or not.

import { mapScalars } from '../nodes.ts';
import { ownEntry } from '../own-entry.ts';
import { type Position, type Problem, warningAt } from '../problem.ts';
import type { ResolvedBundle } from '../resolve/resolved-bundle.ts';

export interface NamedId {
  readonly kind: 'warehouse' | 'cluster' | 'pool';
  readonly id: string;
  readonly at: Position;
}

const FIELDS: Readonly<Record<string, NamedId['kind']>> = {
  warehouse_id: 'warehouse',
  existing_cluster_id: 'cluster',
  instance_pool_id: 'pool',
};

export function findNamedIds(bundle: Pick<ResolvedBundle, 'resources'>): NamedId[] {
  const found: NamedId[] = [];
  for (const { node } of bundle.resources) {
    mapScalars(node, (scalar, path) => {
      const kind = ownEntry(FIELDS, String(path.at(-1)));
      const id = scalar.value;
      // A reference waits for a resource of this bundle, or for the run.
      if (kind !== undefined && typeof id === 'string' && id !== '' && !/\$\{|\{\{/.test(id))
        found.push({ kind, id, at: scalar.at });
      return scalar;
    });
  }
  return found;
}

/** What a server that does not know an id does with it: see `headrace.unknown_ids`. */
export function warnOfUnknownId({ kind, id, at }: NamedId): Problem {
  const message = `${kind} '${id}' is not known to the server: the default one stands in for it, where unknown ids are allowed`;
  return warningAt(at, message, `name a ${kind} of the server, or leave it out`);
}
