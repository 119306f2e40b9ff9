// The resources of a resolved configuration, and what of it is not deployed here.

import { entriesAt, listAt, type MappingNode, type Node, textAt } from '../nodes.ts';
import { errorAt, type Problem, warningAt } from '../problem.ts';
import { toSettings } from './job-settings.ts';
import type { ResolvedBundle, ResolvedJob, ResolvedPermission, ResolvedResource } from './resolved-bundle.ts';
import { isSupportedKind } from './resource-kinds.ts';

type Collected = Pick<ResolvedBundle, 'resources' | 'jobs' | 'permissions' | 'unsupported'>;

export function collectResources(root: MappingNode, problems: Problem[]): Collected {
  const permissions = readPermissions(root, problems);
  const resources: ResolvedResource[] = [];
  const unsupported: { kind: string; key: string; at: Node['at'] }[] = [];
  for (const [kind, group] of entriesAt(root, 'resources')) {
    for (const [key, { keyAt, value }] of entriesAt(group.value)) {
      if (!isSupportedKind(kind)) {
        const message = `resources.${kind}.${key}: ${kind} are not supported here: left out, the rest is deployed`;
        problems.push(warningAt(keyAt, message, 'keep it for the hosted product, or take it out'));
        unsupported.push({ kind, key, at: keyAt });
      } else if (value.kind !== 'mapping') {
        problems.push(
          errorAt(
            keyAt,
            `resources.${kind}.${key}: expected a mapping of its settings`,
            'write a line `name: value` for each field',
          ),
        );
      } else {
        resources.push({
          kind,
          key,
          at: keyAt,
          node: value,
          settings: toSettings(value),
          permissions: readPermissions(value, problems),
        });
      }
    }
  }
  const jobs = resources.filter((resource): resource is ResolvedJob => resource.kind === 'jobs');
  return { resources, jobs, permissions, unsupported };
}

const PRINCIPALS = ['user_name', 'group_name', 'service_principal_name'] as const;

function readPermissions(owner: Node, problems: Problem[]): ResolvedPermission[] {
  return listAt(owner, 'permissions').flatMap((entry) => {
    const level = textAt(entry, 'level');
    const named = PRINCIPALS.flatMap((kind) => {
      const name = textAt(entry, kind);
      return name === null ? [] : [{ kind, name }];
    });
    const [principal] = named;
    if (level !== null && principal !== undefined && named.length === 1) {
      return [{ at: entry.at, level, principal }];
    }
    const message = `a permission needs a level and one of ${PRINCIPALS.join(', ')}`;
    problems.push(errorAt(entry.at, message, 'write {level: CAN_VIEW, user_name: …}'));
    return [];
  });
}
