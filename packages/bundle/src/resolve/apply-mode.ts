// What `mode` and `presets` do to resources. Names and tags change before references are replaced, so that
// `${resources.jobs.x.name}` sees the final name; schedules and limits after it, when they are known.
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references of bundles, replaced later

import {
  entriesAt,
  fromPlain,
  isEmpty,
  type MappingNode,
  type Node,
  at as nodeAt,
  type Scalar,
  scalarAt,
  scalarNode,
  textAt,
  withValue,
} from '../nodes.ts';
import { ownEntry } from '../own-entry.ts';
import { errorAt, type Position, type Problem } from '../problem.ts';
import { mapResources } from './map-resources.ts';
import type { Mode } from './resolved-bundle.ts';
import { RESOURCE_NAMES, type ResourceName } from './resource-kinds.ts';
import type { Target } from './select-target.ts';

const USER = '${workspace.current_user.short_name}';
export const DEVELOPMENT_PREFIX = `[dev ${USER}] `;
/** DECISIONS: several developers' runs of one job may overlap, but not without end. */
const DEVELOPMENT_CONCURRENT_RUNS = 4;
const TRIGGERS = ['schedule', 'trigger', 'continuous'];
/** Where a kind keeps its tags, of those whose tags are texts by name. */
const TAG_FIELDS: Readonly<Record<string, string>> = {
  jobs: 'tags',
  pipelines: 'tags',
  clusters: 'custom_tags',
  instance_pools: 'custom_tags',
};

export function readMode(target: Target, problems: Problem[]): Mode {
  const mode = nodeAt(target.node, 'mode');
  if (isEmpty(mode)) return null;
  const text = textAt(mode);
  if (text === 'development' || text === 'production') return text;
  if (mode !== undefined)
    problems.push(errorAt(mode.at, 'mode: this one is not known', 'write development or production'));
  return null;
}

/** What stands before every name, as it is written. */
export function readNamePrefix(root: MappingNode, mode: Mode): { text: string; at: Position } {
  const node = nodeAt(root, 'presets', 'name_prefix');
  const text = textAt(node) ?? (mode === 'development' ? DEVELOPMENT_PREFIX : '');
  return { text, at: node?.at ?? root.at };
}

/** @param prefix without references: what it becomes in a name of letters depends on all of it. */
export function applyNamePresets(root: MappingNode, mode: Mode, prefix: string): MappingNode {
  const tags = entriesAt(root, 'presets', 'tags').map(([key, entry]): [string, Node] => [key, entry.value]);
  if (mode === 'development') tags.push(['dev', fromPlain(USER, root.at)]);
  return mapResources(root, (resource, { kind, key, keyAt }) => {
    let changed: Node = resource;
    const name = ownEntry(RESOURCE_NAMES, kind);
    if (name !== undefined) changed = withPrefix(resource, name, { prefix, key, keyAt });
    const field = ownEntry(TAG_FIELDS, kind);
    for (const [tag, value] of field === undefined ? [] : tags) {
      // The user's own value of a tag is kept.
      if (field !== undefined && isEmpty(nodeAt(resource, field, tag))) {
        changed = withValue(changed, [field, tag], value);
      }
    }
    return changed as MappingNode; // a mapping stays one
  });
}

function withPrefix(
  resource: MappingNode,
  name: ResourceName,
  { prefix, key, keyAt }: { prefix: string; key: string; keyAt: Position },
): Node {
  const node = nodeAt(resource, name.field);
  const text = isEmpty(node) && name.isKeyByDefault ? key : textAt(node);
  if (text === null || text === '') return resource;
  // What is inside something that has a prefix needs none of its own.
  if (name.parent !== undefined && /^\$\{resources\./.test(textAt(resource, name.parent) ?? ''))
    return resource;
  const full = joinPrefix(prefix, text, name.style);
  if (full === textAt(node)) return resource;
  return withValue(resource, [name.field], scalarNode(full, node?.at ?? keyAt));
}

function joinPrefix(prefix: string, text: string, style: ResourceName['style']): string {
  if (style === 'free') return prefix + text;
  if (style === 'word') return toWord(prefix) + text;
  const slash = text.lastIndexOf('/') + 1;
  return text.slice(0, slash) + prefix + text.slice(slash);
}

/** `[dev jane_doe] ` → `dev_jane_doe_`: for names that are parts of SQL or of paths. */
function toWord(prefix: string): string {
  const word = prefix.replaceAll(/[^A-Za-z0-9]+/g, '_').replaceAll(/^_+|_+$/g, '');
  return word === '' ? '' : `${word}_`;
}

export function applyRunPresets(root: MappingNode, mode: Mode): MappingNode {
  const presets = nodeAt(root, 'presets');
  const isDevelopment = mode === 'development';
  const pause = textAt(presets, 'trigger_pause_status') ?? (isDevelopment ? 'PAUSED' : null);
  const preset = scalarAt(presets, 'jobs_max_concurrent_runs');
  const standard = isDevelopment ? DEVELOPMENT_CONCURRENT_RUNS : null;
  // What is no number is refused where it stands.
  const concurrency = typeof preset === 'number' ? preset : standard;
  const pipelines = scalarAt(presets, 'pipelines_development') ?? (isDevelopment ? true : null);
  return mapResources(root, (resource, { kind, keyAt }) => {
    switch (kind) {
      case 'jobs':
        return withConcurrency(withPause(resource, pause), concurrency, keyAt);
      case 'alerts':
        return withPause(resource, pause);
      case 'pipelines':
        return pipelines === null || !isEmpty(nodeAt(resource, 'development'))
          ? resource
          : withField(resource, ['development'], scalarNode(pipelines, keyAt));
      default:
        return resource;
    }
  });
}

function withPause(resource: MappingNode, pause: string | null): MappingNode {
  if (pause === null) return resource;
  return TRIGGERS.reduce((changed, trigger) => {
    const found = nodeAt(changed, trigger);
    // What says pause_status itself has decided.
    return found?.kind !== 'mapping' || !isEmpty(nodeAt(found, 'pause_status'))
      ? changed
      : withField(changed, [trigger, 'pause_status'], scalarNode(pause, found.at));
  }, resource);
}

function withConcurrency(job: MappingNode, concurrency: Scalar, keyAt: Position): MappingNode {
  // A continuous job has one run at a time.
  return concurrency === null ||
    !isEmpty(nodeAt(job, 'max_concurrent_runs')) ||
    !isEmpty(nodeAt(job, 'continuous'))
    ? job
    : withField(job, ['max_concurrent_runs'], scalarNode(concurrency, keyAt));
}

function withField(resource: MappingNode, path: readonly string[], value: Node): MappingNode {
  return withValue(resource, path, value) as MappingNode; // a mapping stays one
}
