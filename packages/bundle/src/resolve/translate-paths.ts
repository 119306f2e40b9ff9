// Local paths in resources become workspace paths. A relative path means a place beside the file that says it, and
// also below the bundle folder when only that one exists.

import path from 'node:path';
import type { LocalFile } from '../load/describe-file.ts';
import {
  type MappingNode,
  mapScalars,
  type Node,
  at as nodeAt,
  type ScalarNode,
  scalarNode,
  textAt,
} from '../nodes.ts';
import { errorAt, type Problem, warningAt } from '../problem.ts';
import { tasksOf } from './job-tasks.ts';
import { type PathKind, placesInJob, placesInPipeline } from './path-places.ts';
import type { ResolvedArtifact } from './resolved-bundle.ts';
import { type SyncLayout, withoutExtension } from './sync-files.ts';

/** Marks a local wheel or jar until the artifacts step knows where it is uploaded. */
export const LOCAL_PREFIX = './';
const NOTEBOOK_EXTENSIONS = ['.py', '.ipynb', '.sql', '.scala', '.r', '.R'];

export interface PathContext {
  /** What is sent, by its local path. */
  readonly files: ReadonlyMap<string, LocalFile>;
  /** Folders that hold something of it. */
  readonly folders: ReadonlySet<string>;
  /** What is there but not sent. */
  readonly unsent: ReadonlySet<string>;
  readonly filePath: string;
  readonly toRemote: (local: string) => string;
  /** What is sent, by its place in the workspace with its extension. */
  readonly byRemote: ReadonlyMap<string, LocalFile>;
  /** Folders in which artifacts leave what they build. */
  readonly outputs: ReadonlySet<string>;
  readonly problems: Problem[];
}

export function toPathContext(
  { files, toRemote }: SyncLayout,
  {
    all,
    artifacts,
    filePath,
    problems,
  }: {
    all: readonly LocalFile[];
    artifacts: readonly ResolvedArtifact[];
    filePath: string;
    problems: Problem[];
  },
): PathContext {
  const sent = new Map(files.map(({ local }) => [local.path, local]));
  return {
    files: sent,
    folders: foldersOf(sent.keys()),
    unsent: new Set(all.map((file) => file.path).filter((file) => !sent.has(file))),
    filePath,
    toRemote,
    byRemote: new Map(files.map(({ local }) => [toRemote(local.path), local])),
    outputs: new Set(
      artifacts.flatMap((artifact) => [
        path.posix.join(artifact.path, 'dist'),
        ...artifact.sources.map((source) => path.posix.dirname(source)),
      ]),
    ),
    problems,
  };
}

/** The folders above each file, to the bundle folder. */
function foldersOf(files: Iterable<string>): Set<string> {
  const folders = new Set<string>();
  for (const file of files) {
    let folder = path.posix.dirname(file);
    while (!folders.has(folder)) {
      folders.add(folder);
      folder = path.posix.dirname(folder);
    }
  }
  return folders;
}

export function translatePaths(resource: MappingNode, kind: string, context: PathContext): MappingNode {
  const places =
    kind === 'jobs' ? placesInJob(resource) : kind === 'pipelines' ? placesInPipeline(resource) : [];
  const changes = new Map<Node, ScalarNode>();
  for (const { node, kind: pathKind } of places) {
    if (node.kind !== 'scalar' || typeof node.value !== 'string') continue;
    const text = translate(node, node.value, pathKind, context);
    if (text !== node.value) changes.set(node, scalarNode(text, node.at));
  }
  // One pass, however many tasks there are. A scalar that stands in several places means the same in each.
  return changes.size === 0
    ? resource
    : (mapScalars(resource, (scalar) => changes.get(scalar) ?? scalar) as MappingNode); // a mapping stays one
}

function translate(node: ScalarNode, text: string, kind: PathKind, context: PathContext): string {
  if (text.startsWith(`${context.filePath}/`)) return translateRemote(text, kind, context);
  // In an environment: a file of requirements rather than one of them.
  const requirements = kind === 'dependency' ? /^-r\s+(.+)$/.exec(text) : null;
  if (requirements?.[1] !== undefined)
    return `-r ${translate(node, requirements[1], 'requirements', context)}`;
  if (isWindowsPath(text)) {
    context.problems.push(
      errorAt(node.at, `'${text}' is a path of one system only`, 'write it with / and relative to this file'),
    );
    return text;
  }
  if (!isLocal(text) || (kind === 'dependency' && !looksLikePath(text))) return text;
  const found = findLocal(node, text, kind, context);
  if (found === null) return text;
  if (kind === 'library' || kind === 'dependency') return `${LOCAL_PREFIX}${found}`;
  if (kind === 'notebook' && context.files.get(found)?.notebook === null) {
    const message = `${found} is no notebook: its first line is not the one that marks notebooks`;
    const cure = "begin a Python one with '# Databricks notebook source', or run it with spark_python_task";
    context.problems.push(warningAt(node.at, message, cure));
  }
  return remotePath(found, kind, context);
}

/** `${workspace.file_path}/src/x.py` names a file of the bundle too. */
function translateRemote(text: string, kind: PathKind, context: PathContext): string {
  if (kind !== 'notebook') return text;
  const plain = path.posix.normalize(text);
  const found = context.byRemote.get(plain);
  return found === undefined || found.notebook === null ? text : withoutExtension(plain);
}

function isWindowsPath(text: string): boolean {
  return /^[A-Za-z]:[\\/]/.test(text) || (text.includes('\\') && !text.includes('{{'));
}

function isLocal(text: string): boolean {
  return text !== '' && !/^(\/|~|\$\{|[A-Za-z][\w+.-]*:\/|dbfs:|\{\{)/.test(text);
}

/** A plain name is a package of an index; only what looks like a path is one. */
function looksLikePath(text: string): boolean {
  return /^\.{1,2}\//.test(text) || (text.endsWith('.whl') && !text.includes(' @ '));
}

function findLocal(node: ScalarNode, text: string, kind: PathKind, context: PathContext): string | null {
  const beside = path.posix.normalize(path.posix.join(path.posix.dirname(node.at.file), text));
  const below = path.posix.normalize(text);
  const candidates = [...new Set([beside, below])].map((candidate) => candidate.replace(/\/$/, ''));
  for (const candidate of candidates) {
    const match = existing(candidate, kind, context);
    if (match !== null) return match;
  }
  const within = candidates.filter((candidate) => candidate !== '..' && !candidate.startsWith('../'));
  if (within.length === 0) {
    const cure = 'move it into the bundle folder, or name its folder in sync.paths';
    context.problems.push(errorAt(node.at, `'${text}' leads out of the bundle folder`, cure));
    return null;
  }
  // Wheels and jars may be built later; the artifacts step looks for them.
  if (kind === 'library' || kind === 'dependency') {
    const built = within.find((candidate) => context.outputs.has(path.posix.dirname(candidate)));
    return built ?? within[0] ?? null;
  }
  context.problems.push(explainMissing(node, text, { kind, candidates: within, context }));
  return null;
}

function existing(candidate: string, kind: PathKind, { files, folders }: PathContext): string | null {
  if (kind === 'folder') return folders.has(candidate) ? candidate : null;
  if (kind === 'glob') {
    const fixed = candidate.split('/').slice(
      0,
      candidate.split('/').findIndex((part) => part.includes('*')),
    );
    return folders.has(fixed.join('/') || '.') ? candidate : null;
  }
  if (files.has(candidate)) return candidate;
  if (kind !== 'notebook') return null;
  return (
    NOTEBOOK_EXTENSIONS.map((extension) => candidate + extension).find((file) => files.has(file)) ?? null
  );
}

function explainMissing(
  node: ScalarNode,
  text: string,
  { kind, candidates, context }: { kind: PathKind; candidates: readonly string[]; context: PathContext },
): Problem {
  const unsent = candidates.find((candidate) => context.unsent.has(candidate));
  if (unsent !== undefined) {
    const message = `${kind} '${text}' is not sent to the workspace: sync.exclude or sync.paths leave it out`;
    return errorAt(node.at, message);
  }
  if (kind !== 'folder' && candidates.some((candidate) => context.folders.has(candidate))) {
    return errorAt(node.at, `${kind} '${text}' is a folder`);
  }
  const lower = new Set(candidates.map((candidate) => candidate.toLowerCase()));
  const other = [...context.files.keys()].find((file) => lower.has(file.toLowerCase()));
  const looked = candidates.join(' and ');
  const cure =
    other === undefined
      ? 'check the path, and that .gitignore does not name it'
      : `there is ${other}: capital letters count`;
  return errorAt(node.at, `${kind} '${text}' does not exist (looked for ${looked})`, cure);
}

function remotePath(local: string, kind: PathKind, context: PathContext): string {
  const remote = context.toRemote(local);
  const isNotebook = kind === 'notebook' && context.files.get(local)?.notebook != null;
  return isNotebook ? withoutExtension(remote) : remote;
}

/** A file that a task runs as a plain file must not have become a notebook on its way. */
export function warnOfNotebooksUsedAsFiles(job: MappingNode, context: PathContext): Problem[] {
  return tasksOf(job).flatMap(({ node: task }) => {
    const node = nodeAt(task, 'spark_python_task', 'python_file');
    const file = textAt(node);
    const local = context.byRemote.get(file ?? '');
    return node === undefined || local === undefined || local.notebook === null
      ? []
      : [warningAt(node.at, `${local.path} is a notebook; run it with notebook_task`)];
  });
}
