// What the top of a bundle says for all of its resources: `run_as` and `permissions`. A resource's own word is stronger.

import {
  type Entry,
  fromPlain,
  isEmpty,
  listAt,
  type MappingNode,
  type Node,
  at as nodeAt,
  textAt,
  withValue,
} from '../nodes.ts';
import { ownEntry } from '../own-entry.ts';
import { errorAt, type Problem } from '../problem.ts';
import { mapResources } from './map-resources.ts';

const PRINCIPALS = ['user_name', 'group_name', 'service_principal_name'] as const;
const RUN_AS_KINDS = ['jobs', 'pipelines'];
/** BUNDLES.md: what the top level may say. Each kind has words of its own; null: it has none for that. */
const LEVELS: readonly string[] = ['CAN_VIEW', 'CAN_RUN', 'CAN_MANAGE'];
const LEVELS_BY_KIND: Readonly<Record<string, readonly (string | null)[]>> = {
  jobs: ['CAN_VIEW', 'CAN_MANAGE_RUN', 'CAN_MANAGE'],
  pipelines: ['CAN_VIEW', 'CAN_RUN', 'CAN_MANAGE'],
  clusters: ['CAN_ATTACH_TO', 'CAN_RESTART', 'CAN_MANAGE'],
  instance_pools: [null, 'CAN_ATTACH_TO', 'CAN_MANAGE'],
  cluster_policies: [null, 'CAN_USE', null],
  sql_warehouses: ['CAN_VIEW', 'CAN_USE', 'CAN_MANAGE'],
  queries: ['CAN_VIEW', 'CAN_RUN', 'CAN_MANAGE'],
  alerts: ['CAN_VIEW', 'CAN_RUN', 'CAN_MANAGE'],
  secret_scopes: ['READ', 'READ', 'MANAGE'],
};

export function spreadDefaults(root: MappingNode, problems: Problem[]): MappingNode {
  const runAs = root.entries.get('run_as');
  const permissions = listAt(root, 'permissions');
  for (const permission of permissions) {
    const level = nodeAt(permission, 'level');
    const text = textAt(level);
    if (level === undefined || text === null || LEVELS.includes(text)) continue;
    const message = `permissions of the whole bundle are ${LEVELS.join(', ')}; '${text}' is none of them`;
    problems.push(errorAt(level.at, message));
  }
  return mapResources(root, (resource, { kind }) =>
    withPermissions(RUN_AS_KINDS.includes(kind) ? withRunAs(resource, runAs) : resource, kind, permissions),
  );
}

function withRunAs(resource: MappingNode, runAs: Entry | undefined): MappingNode {
  if (runAs?.value.kind !== 'mapping' || !isEmpty(nodeAt(resource, 'run_as'))) return resource;
  return { ...resource, entries: new Map(resource.entries).set('run_as', runAs) };
}

function withPermissions(resource: MappingNode, kind: string, permissions: readonly Node[]): MappingNode {
  const levels = ownEntry(LEVELS_BY_KIND, kind);
  if (levels === undefined || permissions.length === 0) return resource;
  const own = nodeAt(resource, 'permissions');
  const named = new Set(listAt(own).map(principalOf));
  const added = permissions.flatMap((permission) => {
    const level = levels[LEVELS.indexOf(textAt(permission, 'level') ?? '')];
    if (level === undefined || level === null || named.has(principalOf(permission))) return [];
    return [withValue(permission, ['level'], fromPlain(level, permission.at))];
  });
  if (added.length === 0) return resource;
  const at = own?.at ?? added[0]?.at ?? resource.at;
  const list: Node = { kind: 'list', entries: [...listAt(own), ...added], at };
  return withValue(resource, ['permissions'], list) as MappingNode; // a mapping stays one
}

function principalOf(permission: Node): string {
  return PRINCIPALS.map((kind) => `${kind}=${textAt(permission, kind) ?? ''}`).join(' ');
}
