// Where a bundle lives in the workspace, and who deploys it: the `workspace` mapping completed from the facts.
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references of bundles, replaced later

import { entriesAt, fromPlain, type MappingNode, type Node, textAt, withValue } from '../nodes.ts';

export interface WorkspaceFacts {
  /** The server the client talks to. */
  readonly host: string;
  readonly userName: string;
}

const DEFAULT_PATHS = {
  root_path: '~/.bundle/${bundle.name}/${bundle.target}',
  file_path: '${workspace.root_path}/files',
  artifact_path: '${workspace.root_path}/artifacts',
  state_path: '${workspace.root_path}/state',
} as const;

export function completeWorkspace(root: MappingNode, targetName: string, facts: WorkspaceFacts): MappingNode {
  const shortName = toShortName(facts.userName);
  const additions: [string[], Node][] = [
    [['bundle', 'target'], fromPlain(targetName, root.at)],
    [['bundle', 'environment'], fromPlain(targetName, root.at)],
    [
      ['workspace', 'current_user'],
      fromPlain(
        {
          userName: facts.userName,
          short_name: shortName,
          domain_friendly_name: shortName.replaceAll('_', '-'),
        },
        root.at,
      ),
    ],
  ];
  if (textAt(root, 'workspace', 'host') === null)
    additions.push([['workspace', 'host'], fromPlain(facts.host, root.at)]);
  for (const [key, path] of Object.entries(DEFAULT_PATHS)) {
    if (textAt(root, 'workspace', key) === null)
      additions.push([['workspace', key], fromPlain(path, root.at)]);
  }
  const completed = additions.reduce<Node>(
    (node, [path, value]) => withValue(node, path, value),
    root,
  ) as MappingNode; // a mapping stays one
  return entriesAt(completed, 'workspace')
    .filter(([key]) => key in DEFAULT_PATHS)
    .reduce<Node>((node, [key, entry]) => {
      const text = textAt(entry.value);
      return text === null
        ? node
        : withValue(node, ['workspace', key], { ...entry.value, value: absolute(text, facts) } as Node); // a text stays one
    }, completed) as MappingNode;
}

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
