// What `mode` and `presets` do to jobs. Names and tags change before references are replaced, so that
// `${resources.jobs.x.name}` sees the final name; schedules and limits after it, when they are known.
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references of bundles, replaced later

import {
  entriesAt,
  fromPlain,
  isEmpty,
  type MappingNode,
  type Node,
  at as nodeAt,
  positionOf,
  scalarAt,
  scalarNode,
  textAt,
  withValue,
} from '../nodes.ts';
import { errorAt, type Problem, warningAt } from '../problem.ts';
import type { GitFacts, Mode } from './resolved-bundle.ts';
import type { Target } from './select-target.ts';
import type { WorkspaceFacts } from './workspace-paths.ts';

const USER = '${workspace.current_user.short_name}';
/** DECISIONS: several developers' runs of one job may overlap, but not without end. */
const DEVELOPMENT_CONCURRENT_RUNS = 4;
const TRIGGERS = ['schedule', 'trigger', 'continuous'];

export function readMode(target: Target, problems: Problem[]): Mode {
  const mode = nodeAt(target.node, 'mode');
  if (isEmpty(mode)) return null;
  const text = textAt(mode);
  if (text === 'development' || text === 'production') return text;
  if (mode !== undefined) problems.push(errorAt(mode.at, 'mode: expected development or production'));
  return null;
}

export function applyNamePresets(root: MappingNode, mode: Mode): MappingNode {
  const prefix = textAt(root, 'presets', 'name_prefix') ?? (mode === 'development' ? `[dev ${USER}] ` : '');
  const tags = entriesAt(root, 'presets', 'tags').map(([key, entry]): [string, Node] => [key, entry.value]);
  if (mode === 'development') tags.push(['dev', fromPlain(USER, root.at)]);
  let changed: Node = root;
  for (const [key, entry] of entriesAt(root, 'resources', 'jobs')) {
    const path = ['resources', 'jobs', key];
    if (entry.value.kind !== 'mapping') continue;
    const name = nodeAt(entry.value, 'name');
    const text = name === undefined ? key : textAt(name);
    if (text !== null && (prefix !== '' || name === undefined)) {
      changed = withValue(changed, [...path, 'name'], scalarNode(prefix + text, name?.at ?? entry.keyAt));
    }
    for (const [tag, value] of tags) {
      if (isEmpty(nodeAt(entry.value, 'tags', tag)))
        changed = withValue(changed, [...path, 'tags', tag], value);
    }
  }
  return changed as MappingNode; // a mapping stays one
}

export function applyRunPresets(root: MappingNode, mode: Mode): MappingNode {
  const presets = nodeAt(root, 'presets');
  const pause = textAt(presets, 'trigger_pause_status') ?? (mode === 'development' ? 'PAUSED' : null);
  const concurrency =
    scalarAt(presets, 'jobs_max_concurrent_runs') ??
    (mode === 'development' ? DEVELOPMENT_CONCURRENT_RUNS : null);
  let changed: Node = root;
  for (const [key, entry] of entriesAt(root, 'resources', 'jobs')) {
    const path = ['resources', 'jobs', key];
    if (entry.value.kind !== 'mapping') continue;
    for (const trigger of TRIGGERS) {
      const found = nodeAt(entry.value, trigger);
      // A job that says pause_status itself has decided.
      if (pause === null || found?.kind !== 'mapping' || textAt(found, 'pause_status') !== null) continue;
      changed = withValue(changed, [...path, trigger, 'pause_status'], scalarNode(pause, found.at));
    }
    if (concurrency !== null && isEmpty(nodeAt(entry.value, 'max_concurrent_runs'))) {
      changed = withValue(changed, [...path, 'max_concurrent_runs'], scalarNode(concurrency, entry.keyAt));
    }
  }
  return changed as MappingNode; // a mapping stays one
}

export function checkMode(
  root: MappingNode,
  { target, mode, facts, git }: { target: Target; mode: Mode; facts: WorkspaceFacts; git: GitFacts },
): Problem[] {
  if (mode !== 'production') return [];
  const problems: Problem[] = [];
  for (const [key, entry] of entriesAt(root, 'resources', 'pipelines')) {
    const development = nodeAt(entry.value, 'development');
    if (development !== undefined && scalarAt(development) === true) {
      problems.push(
        errorAt(
          development.at,
          `pipeline ${key} says development: true, which target ${target.name} (mode: production) refuses`,
        ),
      );
    }
  }
  const wanted = textAt(target.node, 'git', 'branch') ?? textAt(root, 'bundle', 'git', 'branch');
  if (wanted !== null && git.branch !== null && git.branch !== wanted) {
    const at = positionOf(target.node, ['git', 'branch']);
    problems.push(
      errorAt(
        at,
        `target ${target.name} is deployed from branch ${wanted}, but the folder is at ${git.branch}`,
      ),
    );
  }
  const isPersonal = (textAt(root, 'workspace', 'root_path') ?? '').startsWith(
    `/Workspace/Users/${facts.userName}/`,
  );
  if (isPersonal && isEmpty(nodeAt(root, 'run_as')) && isEmpty(nodeAt(root, 'permissions'))) {
    const message = `target ${target.name} is production, yet it lives in one user's folder and neither run_as nor permissions are given; set workspace.root_path to a shared folder`;
    problems.push(warningAt(positionOf(target.node, ['mode']), message));
  }
  return problems;
}
