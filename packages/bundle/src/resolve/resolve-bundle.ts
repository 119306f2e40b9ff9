// A loaded bundle and one target → what is to be deployed. Pure: the same inputs give the same result, and findings
// are part of it.

import picomatch from 'picomatch';
import type { LocalFile } from '../load/list-files.ts';
import type { LoadedBundle } from '../load/load-bundle.ts';
import { entriesAt, listAt, type MappingNode, scalarAt, textAt, withoutKeys } from '../nodes.ts';
import { errorAt, type Problem, sortProblems } from '../problem.ts';
import { applyNamePresets, applyRunPresets, checkMode, readMode } from './apply-mode.ts';
import { collectResources } from './collect-resources.ts';
import { interpolate } from './interpolate.ts';
import { mergeNodes } from './merge-nodes.ts';
import { readArtifacts } from './read-artifacts.ts';
import type { GitFacts, Mode, ResolvedBundle, ResolvedScript } from './resolved-bundle.ts';
import { selectTarget, type Target } from './select-target.ts';
import { withoutExtension } from './translate-paths.ts';
import { resolveVariables, type VariableInputs } from './variables.ts';
import { completeWorkspace, type WorkspaceFacts } from './workspace-paths.ts';

export type {
  GitFacts,
  Mode,
  ResolvedArtifact,
  ResolvedBundle,
  ResolvedJob,
  ResolvedPermission,
  ResolvedResource,
  ResolvedScript,
  SyncFile,
} from './resolved-bundle.ts';

export interface ResolveInputs extends Partial<VariableInputs> {
  readonly target?: string | undefined;
  readonly facts: WorkspaceFacts;
  /** Of the repository around the folder. */
  readonly git?: GitFacts;
}

const NO_GIT: GitFacts = { branch: null, commit: null, originUrl: null };

/** What a target may not lay over the bundle. */
const TARGET_ONLY_KEYS = ['default', 'mode', 'variables', 'git'];

export function resolveBundle(
  loaded: LoadedBundle,
  inputs: ResolveInputs,
): ResolvedBundle | { readonly problems: readonly Problem[] } {
  // What an unreadable file would have said cannot be missed from it.
  if (!loaded.isReadable) return { problems: loaded.problems };
  const choice = selectTarget(loaded, inputs.target);
  const { target } = choice;
  if (target === null) return { problems: sortProblems([...loaded.problems, ...choice.problems]) };
  const problems: Problem[] = [...loaded.problems];
  const name = textAt(loaded.root, 'bundle', 'name');
  if (name === null) problems.push(errorAt(loaded.root.at, 'bundle.name is required'));
  const mode = readMode(target, problems);
  const variables = resolveVariables(loaded, target, {
    vars: inputs.vars ?? {},
    environment: inputs.environment ?? {},
  });
  problems.push(...variables.problems);

  const merged = mergeNodes(loaded.root, withoutKeys(target.node, TARGET_ONLY_KEYS));
  const completed = applyNamePresets(completeWorkspace(merged, target.name, inputs.facts), mode);
  const interpolated = interpolate(completed, variables.values);
  problems.push(...interpolated.problems);
  const root = withoutKeys(applyRunPresets(interpolated.root, mode), ['targets', 'variables']);
  const git = inputs.git ?? NO_GIT;
  problems.push(...checkMode(root, { target, mode, facts: inputs.facts, git }));
  return collect({ loaded, target, mode, name: name ?? 'unnamed', root, facts: inputs.facts, git }, problems);
}

interface Resolution {
  readonly loaded: LoadedBundle;
  readonly target: Target;
  readonly mode: Mode;
  readonly name: string;
  readonly root: MappingNode;
  readonly facts: WorkspaceFacts;
  readonly git: GitFacts;
}

function collect(resolution: Resolution, problems: Problem[]): ResolvedBundle {
  const { loaded, target, mode, name, root, facts, git } = resolution;
  const text = (key: string) => textAt(root, 'workspace', key) ?? '';
  const filePath = text('file_path');
  const syncable = selectSyncFiles(loaded.files, root);
  const context = { files: new Map(syncable.map((file) => [file.path, file])), filePath, problems };
  const lock = scalarAt(root, 'bundle', 'deployment', 'lock', 'enabled');
  return {
    name,
    target: target.name,
    mode,
    folder: loaded.folder,
    workspace: {
      host: text('host') || facts.host,
      userName: facts.userName,
      rootPath: text('root_path'),
      filePath,
      artifactPath: text('artifact_path'),
      statePath: text('state_path'),
    },
    git,
    deployment: { lockEnabled: typeof lock === 'boolean' ? lock : mode !== 'development' },
    ...collectResources(root, context),
    scripts: readScripts(root, problems),
    artifacts: readArtifacts(root, problems),
    localFiles: loaded.files,
    files: syncable.map((local) => ({ local, remotePath: toRemote(local, filePath) })),
    configFiles: loaded.configFiles,
    root,
    problems: sortProblems(problems),
  };
}

function readScripts(root: MappingNode, problems: Problem[]): ResolvedScript[] {
  return entriesAt(root, 'scripts').flatMap(([name, { keyAt, value }]) => {
    const content = textAt(value, 'content');
    if (content !== null) return [{ name, at: keyAt, content }];
    problems.push(errorAt(keyAt, `script ${name} has no content`));
    return [];
  });
}

function toRemote(local: LocalFile, filePath: string): string {
  const remote = `${filePath}/${local.path}`;
  return local.notebook === null ? remote : withoutExtension(remote);
}

function selectSyncFiles(files: readonly LocalFile[], root: MappingNode): LocalFile[] {
  const excludes = listAt(root, 'sync', 'exclude').flatMap((node) => textAt(node) ?? []);
  if (excludes.length === 0) return [...files];
  // A pattern with a trailing slash, or without wildcard, also means what lies below.
  const patterns = excludes.flatMap((pattern) => {
    const plain = pattern.replace(/^\.\//, '').replace(/\/+$/, '');
    return plain.includes('*') ? [plain] : [plain, `${plain}/**`];
  });
  const isExcluded = picomatch(patterns, { dot: true });
  return files.filter((file) => !isExcluded(file.path));
}
