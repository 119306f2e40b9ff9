// Where a bundle lives in the workspace, and who deploys it: the `workspace` mapping completed from the facts.
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references of bundles, replaced later

import {
  fromPlain,
  type MappingNode,
  type Node,
  at as nodeAt,
  scalarAt,
  scalarNode,
  textAt,
  withValue,
} from '../nodes.ts';
import { errorAt, type Problem, warningAt } from '../problem.ts';
import { type Bindings, interpolateText } from './interpolate.ts';
import type { GitFacts, Mode } from './resolved-bundle.ts';

export interface WorkspaceFacts {
  /** The server the client talks to. */
  readonly host: string;
  readonly userName: string;
  /** What else the server says of the user, for `${workspace.current_user.<field>}`. */
  readonly currentUser?: Readonly<Record<string, unknown>>;
}

const DEFAULT_PATHS = {
  root_path: '~/.bundle/${bundle.name}/${bundle.target}',
  file_path: '${workspace.root_path}/files',
  artifact_path: '${workspace.root_path}/artifacts',
  state_path: '${workspace.root_path}/state',
} as const;

/** Adds what references may name and nobody writes: the target, the user, the repository, the workspace's folders. */
export function completeWorkspace(
  root: MappingNode,
  { targetName, facts, git }: { targetName: string; facts: WorkspaceFacts; git: GitFacts },
): MappingNode {
  const shortName = toShortName(facts.userName);
  const { at } = root;
  const user = {
    ...facts.currentUser,
    userName: facts.userName,
    short_name: shortName,
    domain_friendly_name: shortName.replaceAll('_', '-'),
  };
  const always: [string[], Node][] = [
    [['bundle', 'target'], fromPlain(targetName, at)],
    [['bundle', 'environment'], fromPlain(targetName, at)],
    [['workspace', 'current_user'], fromPlain(user, at)],
  ];
  const unlessGiven: [string[], unknown][] = [
    [['bundle', 'git', 'branch'], git.branch],
    [['bundle', 'git', 'commit'], git.commit],
    [['bundle', 'git', 'origin_url'], git.originUrl],
    [['workspace', 'host'], facts.host],
    ...Object.entries(DEFAULT_PATHS).map(([key, path]): [string[], string] => [['workspace', key], path]),
  ];
  const missing = unlessGiven
    .filter(([path]) => textAt(root, ...path) === null)
    .map(([path, value]): [string[], Node] => [path, fromPlain(value, at)]);
  return [...always, ...missing].reduce<Node>(
    (node, [path, value]) => withValue(node, path, value),
    root,
  ) as MappingNode; // a mapping stays one
}

/**
 * presets.source_linked_deployment: a bundle whose folder is in the workspace already runs its files from there. In
 * development that is so unless the preset says no.
 */
export function linkSource(
  root: MappingNode,
  { folder, mode, problems }: { folder: string; mode: Mode; problems: Problem[] },
): MappingNode {
  const preset = nodeAt(root, 'presets', 'source_linked_deployment');
  const wanted = scalarAt(preset);
  if (!folder.startsWith('/Workspace/')) {
    if (preset !== undefined && wanted === true) {
      const message = 'source_linked_deployment has no effect: the bundle folder is not in the workspace';
      problems.push(warningAt(preset.at, message, 'take it out'));
    }
    return root;
  }
  if (wanted === false || (wanted !== true && mode !== 'development')) return root;
  const at = preset?.at ?? root.at;
  return withValue(root, ['workspace', 'file_path'], scalarNode(folder, at)) as MappingNode; // a mapping stays one
}

/** Writes the folders out: what refers to them needs them whole. */
export function resolvePaths(
  root: MappingNode,
  facts: WorkspaceFacts,
  { folder, bindings, problems }: { folder: string; bindings: Bindings; problems: Problem[] },
): MappingNode {
  return Object.keys(DEFAULT_PATHS).reduce<MappingNode>((current, key) => {
    const node = nodeAt(current, 'workspace', key);
    const written = textAt(node);
    if (node === undefined || written === null) return current;
    const text = interpolateText(written, node.at, { root: current, bindings, problems });
    const path = absolute(text, facts);
    // What is wrong with root_path is said there.
    const [own = '', ...below] = written.split('${workspace.root_path}').reverse();
    const isDerived = below.length > 0;
    if (!isDerived && !path.startsWith('/')) {
      const message = `workspace.${key}: '${text}' is no place in the workspace`;
      problems.push(errorAt(node.at, message, 'write a path from / on, or from ~ for your own folder'));
    } else if ((isDerived ? own : path).split('/').includes('..')) {
      problems.push(errorAt(node.at, `workspace.${key} leads upwards`, "write the path without '..'"));
    } else if (!isDerived && path !== folder && sharedByAll.test(path)) {
      const message = `workspace.${key}: '${path}' holds more than this deployment, which destroy would delete`;
      problems.push(
        errorAt(node.at, message, `write a folder of its own, such as ${path.replace(/\/$/, '')}/…`),
      );
    }
    return withValue(current, ['workspace', key], scalarNode(path, node.at)) as MappingNode; // a mapping stays one
  }, root);
}

/** The folders at the top of the workspace, and the homes in them. */
const sharedByAll = /^(\/Workspace)?\/*((Users|Repos)(\/+[^/]+)?|Shared)?\/*$/;

function absolute(path: string, facts: WorkspaceFacts): string {
  const home = `/Workspace/Users/${facts.userName}`;
  const expanded = path === '~' || path.startsWith('~/') ? home + path.slice(1) : path;
  const full = /^\/(Users|Shared|Repos)(\/|$)/.test(expanded) ? `/Workspace${expanded}` : expanded;
  return full.length > 1 ? full.replace(/\/+$/, '') : full;
}

/** `jane.doe@example.com` → `jane_doe`: fit for names, tags and schemas. */
export function toShortName(userName: string): string {
  return (userName.split('@')[0] ?? userName)
    .replaceAll(/[^A-Za-z0-9]+/g, '_')
    .replaceAll(/^_+|_+$/g, '')
    .toLowerCase();
}
