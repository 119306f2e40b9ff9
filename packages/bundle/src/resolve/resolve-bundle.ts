// A loaded bundle and one target → what is to be deployed. Pure: the same inputs give the same result, and findings
// are part of it.

import picomatch from 'picomatch';
import type { LocalFile } from '../load/list-files.ts';
import type { LoadedBundle } from '../load/load-bundle.ts';
import { entriesAt, listAt, type MappingNode, type Node, textAt, toPlain, withoutKeys } from '../nodes.ts';
import { errorAt, type Position, type Problem, sortProblems, warningAt } from '../problem.ts';
import { applyNamePresets, applyRunPresets, checkMode, type Mode, readMode } from './apply-mode.ts';
import { interpolate } from './interpolate.ts';
import { toSettings } from './job-settings.ts';
import { mergeNodes } from './merge-nodes.ts';
import { selectTarget, type Target } from './select-target.ts';
import { translateJobPaths, warnOfNotebooksUsedAsFiles, withoutExtension } from './translate-paths.ts';
import { resolveVariables, type VariableInputs } from './variables.ts';
import { completeWorkspace, type WorkspaceFacts } from './workspace-paths.ts';

export interface ResolveInputs extends Partial<VariableInputs> {
  readonly target?: string | undefined;
  readonly facts: WorkspaceFacts;
}

export interface ResolvedJob {
  readonly key: string;
  readonly at: Position;
  /** With positions; the same values as `settings`. */
  readonly node: MappingNode;
  readonly settings: Readonly<Record<string, unknown>>;
}

export interface ResolvedArtifact {
  readonly name: string;
  readonly at: Position;
  readonly type: 'whl';
  /** Relative to the bundle folder, '' for the folder itself. */
  readonly path: string;
  /** A shell command; null: the project's own build backend. */
  readonly build: string | null;
  /** Patterns relative to the bundle folder that name the built files; empty: what the build leaves in dist. */
  readonly sources: readonly string[];
}

export interface SyncFile {
  readonly local: LocalFile;
  readonly remotePath: string;
}

export interface ResolvedBundle {
  readonly name: string;
  readonly target: string;
  readonly mode: Mode;
  /** Absolute. */
  readonly folder: string;
  readonly workspace: {
    readonly host: string;
    readonly userName: string;
    readonly rootPath: string;
    readonly filePath: string;
    readonly artifactPath: string;
    readonly statePath: string;
  };
  readonly jobs: readonly ResolvedJob[];
  readonly artifacts: readonly ResolvedArtifact[];
  readonly files: readonly SyncFile[];
  /** All files below the folder, also those that `sync.exclude` keeps from the workspace: what builds start from. */
  readonly localFiles: readonly LocalFile[];
  /** Files that say what to deploy and are no input of a build. */
  readonly configFiles: readonly string[];
  /** Kept in the document, left out of the deployment. */
  readonly unsupported: readonly { readonly kind: string; readonly key: string; readonly at: Position }[];
  /** The whole configuration after resolving, without targets and variables. */
  readonly root: MappingNode;
  readonly problems: readonly Problem[];
}

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
  problems.push(...checkMode(root, target, mode, inputs.facts));
  return collect({ loaded, target, mode, name: name ?? 'unnamed', root, facts: inputs.facts }, problems);
}

interface Resolution {
  readonly loaded: LoadedBundle;
  readonly target: Target;
  readonly mode: Mode;
  readonly name: string;
  readonly root: MappingNode;
  readonly facts: WorkspaceFacts;
}

function collect(resolution: Resolution, problems: Problem[]): ResolvedBundle {
  const { loaded, target, mode, name, root, facts } = resolution;
  const text = (key: string) => textAt(root, 'workspace', key) ?? '';
  const filePath = text('file_path');
  const syncable = selectSyncFiles(loaded.files, root);
  const context = { files: new Map(syncable.map((file) => [file.path, file])), filePath, problems };
  const jobs: ResolvedJob[] = [];
  for (const [key, entry] of entriesAt(root, 'resources', 'jobs')) {
    if (entry.value.kind !== 'mapping') {
      problems.push(errorAt(entry.keyAt, `resources.jobs.${key}: expected the settings of a job`));
      continue;
    }
    const node = translateJobPaths(entry.value, context);
    problems.push(...warnOfNotebooksUsedAsFiles(node, context));
    jobs.push({ key, at: entry.keyAt, node, settings: withRunAs(toSettings(node), root) });
  }
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
    jobs,
    artifacts: readArtifacts(root, problems),
    localFiles: loaded.files,
    files: syncable.map((local) => ({ local, remotePath: toRemote(local, filePath) })),
    configFiles: loaded.configFiles,
    unsupported: readUnsupported(root, problems),
    root,
    problems: sortProblems(problems),
  };
}

function toRemote(local: LocalFile, filePath: string): string {
  const remote = `${filePath}/${local.path}`;
  return local.notebook === null ? remote : withoutExtension(remote);
}

/** `run_as` of the bundle holds for every job that has none. */
function withRunAs(settings: Record<string, unknown>, root: MappingNode): Record<string, unknown> {
  const runAs = root.entries.get('run_as')?.value;
  return runAs?.kind !== 'mapping' || settings.run_as !== undefined
    ? settings
    : { ...settings, run_as: toPlain(runAs) };
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

function readArtifacts(root: MappingNode, problems: Problem[]): ResolvedArtifact[] {
  const artifacts: ResolvedArtifact[] = [];
  for (const [name, { keyAt, value }] of entriesAt(root, 'artifacts')) {
    const type = textAt(value, 'type') ?? 'whl';
    if (type !== 'whl') {
      problems.push(
        warningAt(keyAt, `artifact ${name}: type '${type}' is not supported yet and left out; whl is`),
      );
      continue;
    }
    const folder = trimPath(textAt(value, 'path') ?? '.');
    if (folder === null)
      problems.push(errorAt(keyAt, `artifact ${name}: path leads out of the bundle folder`));
    else {
      const sources = listAt(value, 'files').flatMap(
        (file: Node) => trimPath(textAt(file, 'source') ?? '') ?? [],
      );
      artifacts.push({
        name,
        at: keyAt,
        type,
        path: folder,
        build: textAt(value, 'build'),
        sources: sources.filter((source) => source !== ''),
      });
    }
  }
  return artifacts;
}

function trimPath(text: string): string | null {
  const parts = text.split('/').filter((part) => part !== '' && part !== '.');
  return parts.includes('..') || text.startsWith('/') ? null : parts.join('/');
}

function readUnsupported(root: MappingNode, problems: Problem[]): ResolvedBundle['unsupported'] {
  const found = entriesAt(root, 'resources')
    .filter(([kind]) => kind !== 'jobs')
    .flatMap(([kind, entry]) =>
      entriesAt(entry.value).map(([key, resource]) => ({ kind, key, at: resource.keyAt })),
    );
  for (const { kind, key, at } of found) {
    problems.push(
      warningAt(
        at,
        `resources.${kind}.${key}: ${kind} are not supported yet; left out, the rest is deployed`,
      ),
    );
  }
  return found;
}
