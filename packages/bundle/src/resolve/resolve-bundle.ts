// A loaded bundle and one target → what is to be deployed. Pure: the same inputs give the same result, and findings
// are part of it.

import type { LoadedBundle } from '../load/load-bundle.ts';
import {
  entriesAt,
  type MappingNode,
  type Node,
  at as nodeAt,
  scalarAt,
  scalarNode,
  textAt,
  withoutKeys,
  withValue,
} from '../nodes.ts';
import { errorAt, hasErrors, type Problem, sortProblems } from '../problem.ts';
import { applyNamePresets, applyRunPresets, readMode, readNamePrefix } from './apply-mode.ts';
import { checkMode } from './check-mode.ts';
import { collectResources } from './collect-resources.ts';
import { type Bindings, interpolateRoot, interpolateText } from './interpolate.ts';
import { type Lookup, type LookupAnswers, readAnswer } from './lookups.ts';
import { mapResources } from './map-resources.ts';
import { mergeNodes } from './merge-nodes.ts';
import { overrideClusters } from './override-clusters.ts';
import { readArtifacts } from './read-artifacts.ts';
import type { GitFacts, Mode, ResolvedBundle, ResolvedScript } from './resolved-bundle.ts';
import { selectTarget, type Target } from './select-target.ts';
import { spreadDefaults } from './spread-defaults.ts';
import { selectSyncFiles } from './sync-files.ts';
import { toPathContext, translatePaths, warnOfNotebooksUsedAsFiles } from './translate-paths.ts';
import { resolveVariables, type VariableInputs, type Variables } from './variables.ts';
import { completeWorkspace, linkSource, resolvePaths, type WorkspaceFacts } from './workspace-paths.ts';

export type { GitFacts, ResolvedBundle } from './resolved-bundle.ts';

export interface ResolveInputs extends Partial<VariableInputs> {
  readonly target?: string | undefined;
  readonly facts: WorkspaceFacts;
  /** Of the repository around the folder. */
  readonly git?: GitFacts;
  /** What collectLookups asked for. Left out: nobody looked, and what refers to it stays open. */
  readonly lookups?: LookupAnswers;
  /** While developing: the cluster that takes the place of all others. */
  readonly clusterId?: string | undefined;
  /** Deploy from any branch. */
  readonly force?: boolean;
}

const NO_GIT: GitFacts = { branch: null, commit: null, originUrl: null };

/** What a target may not lay over the bundle. */
const TARGET_ONLY_KEYS = ['default', 'mode', 'variables', 'git'];

export function resolveBundle(
  loaded: LoadedBundle,
  inputs: ResolveInputs,
): ResolvedBundle | { readonly problems: readonly Problem[] } {
  const start = begin(loaded, inputs);
  if ('refusal' in start) return { problems: start.refusal };
  const { target, git, mode, problems } = start;
  const bindings = bindLookups(start, inputs.lookups);
  const { folder } = loaded;
  const linked = linkSource(start.completed, { folder, mode, problems });
  const located = resolvePaths(linked, inputs.facts, { folder, bindings, problems });
  const written = readNamePrefix(located, mode);
  const prefix = interpolateText(written.text, written.at, { root: located, bindings, problems });
  const interpolated = interpolateRoot(applyNamePresets(located, mode, prefix), bindings);
  problems.push(...interpolated.problems);
  const steady = withoutKeys(applyRunPresets(interpolated.root, mode), ['targets', 'variables']);
  const root = spreadDefaults(overrideClusters(steady, { flag: inputs.clusterId, mode, problems }), problems);
  const { facts, force = false } = inputs;
  const { wantedBranch } = start;
  problems.push(...checkMode(root, { target, mode, facts, git, force, wantedBranch }));
  return collect({ ...start, loaded, root, facts }, problems);
}

/** What has to be found on the server by its name before the bundle can be resolved. */
export function collectLookups(loaded: LoadedBundle, inputs: ResolveInputs): readonly Lookup[] {
  const start = begin(loaded, inputs);
  return 'refusal' in start ? [] : namedLookups(start, []);
}

interface Start {
  readonly name: string;
  readonly target: Target;
  readonly mode: Mode;
  readonly git: GitFacts;
  readonly wantedBranch: Node | undefined;
  readonly variables: Variables;
  /** The target laid over the bundle, with what references may name. */
  readonly completed: MappingNode;
  readonly problems: Problem[];
}

function begin(
  loaded: LoadedBundle,
  inputs: ResolveInputs,
): Start | { readonly refusal: readonly Problem[] } {
  // What an unreadable file would have said cannot be missed from it.
  if (!loaded.isReadable) return { refusal: loaded.problems };
  const choice = selectTarget(loaded, inputs.target);
  const { target } = choice;
  if (target === null) return { refusal: sortProblems([...loaded.problems, ...choice.problems]) };
  const problems: Problem[] = [...loaded.problems];
  const name = textAt(loaded.root, 'bundle', 'name');
  if (name === null)
    problems.push(errorAt(loaded.root.at, 'bundle.name is required', 'add bundle: {name: …}'));
  const mode = readMode(target, problems);
  const { vars = {}, environment = {}, git = NO_GIT } = inputs;
  const variables = resolveVariables(loaded, target, { vars, environment });
  problems.push(...variables.problems);
  const overrides = ['', target.name].flatMap((owner) => loaded.overrideProblems.get(owner) ?? []);
  // A file of overrides that cannot be read would give values that now seem to be missing.
  if (hasErrors(overrides)) return { refusal: sortProblems([...loaded.problems, ...overrides]) };
  const laid = mergeNodes(loaded.root, withoutKeys(target.node, TARGET_ONLY_KEYS));
  // What is said once is not said again of all that refers to it.
  const unnamed = scalarNode('unnamed', laid.at);
  const merged = name === null ? (withValue(laid, ['bundle', 'name'], unnamed) as MappingNode) : laid; // a mapping stays one
  const wantedBranch = nodeAt(target.node, 'git', 'branch') ?? nodeAt(merged, 'bundle', 'git', 'branch');
  const completed = completeWorkspace(merged, { targetName: target.name, facts: inputs.facts, git });
  return { name: name ?? 'unnamed', target, mode, git, wantedBranch, variables, completed, problems };
}

function namedLookups({ variables, completed }: Start, problems: Problem[]): Lookup[] {
  const open = new Set(variables.lookups.map(({ variable }) => variable));
  const bindings = { variables: variables.values, open };
  return variables.lookups.map((lookup) => {
    const name = interpolateText(lookup.name, lookup.at, { root: completed, bindings, problems });
    return { ...lookup, name };
  });
}

function bindLookups(start: Start, answers: LookupAnswers | undefined): Bindings {
  const variables = new Map(start.variables.values);
  const open = new Set<string>();
  for (const lookup of namedLookups(start, start.problems)) {
    const id = readAnswer(lookup, answers, start.problems);
    // One finding is enough: what refers to it is left alone.
    if (id === null) open.add(lookup.variable);
    else variables.set(lookup.variable, scalarNode(id, lookup.at));
  }
  return { variables, open };
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
  const { loaded, target, mode, name, facts, git } = resolution;
  const text = (key: string) => textAt(resolution.root, 'workspace', key) ?? '';
  const filePath = text('file_path');
  const layout = selectSyncFiles(loaded, resolution.root, { filePath, problems });
  const artifacts = readArtifacts(resolution.root, problems);
  const context = toPathContext(layout, { all: loaded.files, artifacts, filePath, problems });
  const root = mapResources(resolution.root, (resource, { kind }) => translatePaths(resource, kind, context));
  const resources = collectResources(root, problems);
  problems.push(...resources.jobs.flatMap((job) => warnOfNotebooksUsedAsFiles(job.node, context)));
  const lock = scalarAt(root, 'bundle', 'deployment', 'lock', 'enabled');
  return {
    name: textAt(root, 'bundle', 'name') ?? name,
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
    ...resources,
    scripts: readScripts(root, problems),
    artifacts,
    localFiles: layout.localFiles,
    // What lies in the workspace already is used where it is.
    files: filePath === loaded.folder ? [] : layout.files,
    configFiles: loaded.configFiles,
    root,
    problems: sortProblems(problems),
  };
}

function readScripts(root: MappingNode, problems: Problem[]): ResolvedScript[] {
  return entriesAt(root, 'scripts').flatMap(([name, { keyAt, value }]) => {
    const content = textAt(value, 'content');
    if (content !== null) return [{ name, at: keyAt, content }];
    problems.push(errorAt(keyAt, `script ${name} has no content`, "write its commands under 'content'"));
    return [];
  });
}
