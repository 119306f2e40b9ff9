import { at, listAt, type MappingNode } from '../nodes.ts';
import { type Problem, warningAt } from '../problem.ts';
import type { ResolvedBundle } from '../resolve/resolved-bundle.ts';

/** Said once: a bundle that gives permissions gives them everywhere. */
export function findIdlePermissions({
  root,
  resources,
}: Pick<ResolvedBundle, 'root' | 'resources'>): Problem[] {
  // Secret scopes have access lists.
  const owners: MappingNode[] = [
    root,
    ...resources.filter(({ kind }) => kind !== 'secret_scopes').map(({ node }) => node),
  ];
  const [first] = owners.flatMap((owner) =>
    ['permissions', 'grants'].flatMap((field) =>
      listAt(owner, field).length === 0 ? [] : [at(owner, field) ?? owner],
    ),
  );
  if (first === undefined) return [];
  const message = 'permissions and grants are kept and have no effect yet, except those of secret scopes';
  return [
    warningAt(first.at, message, 'nothing needs to be done; whoever may sign in may use what is deployed'),
  ];
}
