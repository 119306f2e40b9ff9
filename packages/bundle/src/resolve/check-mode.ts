// What modes and presets require of a resolved configuration.

import {
  entriesAt,
  isEmpty,
  type MappingNode,
  type Node,
  at as nodeAt,
  positionOf,
  scalarAt,
  textAt,
} from '../nodes.ts';
import { ownEntry } from '../own-entry.ts';
import { errorAt, type Problem, warningAt } from '../problem.ts';
import type { GitFacts, Mode } from './resolved-bundle.ts';
import type { Target } from './select-target.ts';
import type { WorkspaceFacts } from './workspace-paths.ts';

export interface ModeContext {
  readonly target: Target;
  readonly mode: Mode;
  readonly facts: WorkspaceFacts;
  readonly git: GitFacts;
  /** Deploy from any branch. */
  readonly force: boolean;
  /** The branch that the files ask for. */
  readonly wantedBranch: Node | undefined;
}

export function checkMode(root: MappingNode, context: ModeContext): Problem[] {
  const problems = checkPresets(root);
  if (context.mode !== 'production') return problems;
  problems.push(...checkPipelines(root, context.target), ...checkBranch(context));
  const { target, facts } = context;
  const rootPath = textAt(root, 'workspace', 'root_path') ?? '';
  const isPersonal = rootPath.startsWith(`/Workspace/Users/${facts.userName}/`);
  if (isPersonal && isEmpty(nodeAt(root, 'run_as')) && isEmpty(nodeAt(root, 'permissions'))) {
    const message = `target ${target.name} is production, yet it lives in one user's folder and neither run_as nor permissions are given; set workspace.root_path to a shared folder`;
    problems.push(warningAt(positionOf(target.node, ['mode']), message));
  }
  return problems;
}

function checkPipelines(root: MappingNode, target: Target): Problem[] {
  return entriesAt(root, 'resources', 'pipelines').flatMap(([key, entry]) => {
    const development = nodeAt(entry.value, 'development');
    if (development === undefined || scalarAt(development) !== true) return [];
    const message = `pipeline ${key} says development: true, which target ${target.name} (mode: production) refuses`;
    return [errorAt(development.at, message, 'take it out, or move it to another target')];
  });
}

function checkBranch({ target, git, force, wantedBranch }: ModeContext): Problem[] {
  const wanted = textAt(wantedBranch);
  if (wanted === null || wantedBranch === undefined || force || git.branch === wanted) return [];
  if (git.branch !== null) {
    const message = `target ${target.name} is deployed from branch ${wanted}, but the folder is at ${git.branch}`;
    return [errorAt(wantedBranch.at, message, `check out ${wanted}, or use --force`)];
  }
  const why = git.commit === null ? 'in no Git repository' : 'at a commit, not at a branch';
  const message = `target ${target.name} is deployed from branch ${wanted}, which cannot be checked: the folder is ${why}`;
  return [warningAt(wantedBranch.at, message, `check out ${wanted}`)];
}

const PRESETS: Readonly<Record<string, { expected: string; holds: (value: unknown) => boolean }>> = {
  name_prefix: { expected: 'a text', holds: (value) => typeof value === 'string' },
  pipelines_development: { expected: 'true or false', holds: isBoolean },
  source_linked_deployment: { expected: 'true or false', holds: isBoolean },
  trigger_pause_status: {
    expected: 'PAUSED or UNPAUSED',
    holds: (value) => value === 'PAUSED' || value === 'UNPAUSED',
  },
  jobs_max_concurrent_runs: {
    expected: 'a whole number from 1 on',
    holds: (value) => typeof value === 'number' && Number.isInteger(value) && value > 0,
  },
};

function isBoolean(value: unknown): boolean {
  return typeof value === 'boolean';
}

function checkPresets(root: MappingNode): Problem[] {
  return entriesAt(root, 'presets').flatMap(([name, { value }]) => {
    if (isEmpty(value)) return [];
    if (name === 'tags' && value.kind !== 'mapping') {
      return [
        errorAt(
          value.at,
          'presets.tags: expected a mapping of texts',
          'write a line `name: value` for each tag',
        ),
      ];
    }
    const preset = ownEntry(PRESETS, name);
    if (preset === undefined || (value.kind === 'scalar' && preset.holds(value.value))) return [];
    return [errorAt(value.at, `presets.${name} has a value that is not allowed`, `write ${preset.expected}`)];
  });
}
