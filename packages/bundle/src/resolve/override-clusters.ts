// `--cluster-id`, or cluster_id of the bundle or target: while developing, everything that would start a cluster of its
// own runs on one that is there already.

import {
  type Entry,
  isEmpty,
  listAt,
  type MappingNode,
  type Node,
  at as nodeAt,
  scalarNode,
  textAt,
  withoutKeys,
  withValue,
} from '../nodes.ts';
import { errorAt, type Position, type Problem, warningAt } from '../problem.ts';
import { mapResources } from './map-resources.ts';
import type { Mode } from './resolved-bundle.ts';

interface Override {
  readonly id: string;
  readonly at: Position;
}

/** A target's keys lie at the top once it is laid over the bundle. `compute_id` is the old name. */
const PLACES = [['cluster_id'], ['compute_id'], ['bundle', 'cluster_id'], ['bundle', 'compute_id']] as const;
const CLUSTER_KEYS = ['new_cluster', 'job_cluster_key', 'existing_cluster_id'];

export function overrideClusters(
  root: MappingNode,
  { flag, mode, problems }: { flag: string | undefined; mode: Mode; problems: Problem[] },
): MappingNode {
  const override = findOverride(root, flag);
  const cleaned = withoutKeys(root, ['cluster_id', 'compute_id']);
  if (override === null) return cleaned;
  if (mode === 'production') {
    const message =
      'a target in mode: production keeps its clusters; another can take their place in development only';
    problems.push(errorAt(override.at, message));
    return cleaned;
  }
  if (mode === null) {
    const message = `all clusters of jobs are replaced by ${override.id}, which is meant for targets in mode: development`;
    problems.push(warningAt(override.at, message));
  }
  const id = scalarNode(override.id, override.at);
  return mapResources(cleaned, (resource, { kind }) =>
    kind === 'jobs' ? onCluster(resource, id) : resource,
  );
}

function findOverride(root: MappingNode, flag: string | undefined): Override | null {
  if (flag !== undefined) return { id: flag, at: { file: '--cluster-id', line: 1, column: 1 } };
  for (const place of PLACES) {
    const node = nodeAt(root, ...place);
    const id = textAt(node);
    if (node !== undefined && id !== null && id !== '') return { id, at: node.at };
  }
  return null;
}

function onCluster(job: MappingNode, id: Node): MappingNode {
  const tasks = nodeAt(job, 'tasks');
  if (tasks?.kind !== 'list') return job;
  const moved: Node = { ...tasks, entries: listAt(tasks).map((task) => taskOnCluster(task, id)) };
  return withValue(withoutKeys(job, ['job_clusters']), ['tasks'], moved) as MappingNode; // a mapping stays one
}

function taskOnCluster(task: Node, id: Node): Node {
  if (task.kind !== 'mapping') return task;
  const nested = nodeAt(task, 'for_each_task', 'task');
  const outer =
    nested === undefined ? task : withValue(task, ['for_each_task', 'task'], taskOnCluster(nested, id));
  if (outer.kind !== 'mapping' || CLUSTER_KEYS.every((key) => isEmpty(nodeAt(outer, key)))) return outer;
  const rest = withoutKeys(outer, CLUSTER_KEYS);
  const entries = new Map<string, Entry>(rest.entries);
  entries.set('existing_cluster_id', { keyAt: id.at, value: id });
  return { ...rest, entries };
}
