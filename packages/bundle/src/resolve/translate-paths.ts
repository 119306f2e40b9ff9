// Local paths in jobs become workspace paths. A relative path means a place beside the file that says it, and inside
// `resources` also below the bundle folder when only that one exists.

import path from 'node:path';
import type { LocalFile } from '../load/list-files.ts';
import {
  entriesAt,
  listAt,
  type MappingNode,
  type Node,
  at as nodeAt,
  type Path,
  type ScalarNode,
  scalarNode,
  textAt,
  withValue,
} from '../nodes.ts';
import { errorAt, type Problem, warningAt } from '../problem.ts';
import { tasksOf } from './job-tasks.ts';

/** Marks a local wheel or jar until the artifacts step knows where it is uploaded. */
export const LOCAL_PREFIX = './';
const NOTEBOOK_EXTENSIONS = ['.py', '.ipynb', '.sql', '.scala', '.r', '.R'];

export interface PathContext {
  readonly files: ReadonlyMap<string, LocalFile>;
  readonly filePath: string;
  readonly problems: Problem[];
}

export function translateJobPaths(job: MappingNode, context: PathContext): MappingNode {
  let changed: Node = job;
  for (const place of placesIn(job)) {
    const found = nodeAt(job, ...place.path);
    if (found?.kind !== 'scalar' || typeof found.value !== 'string') continue;
    const text = translate(found, found.value, place.kind, context);
    if (text !== found.value) changed = withValue(changed, place.path, scalarNode(text, found.at));
  }
  return changed as MappingNode; // a mapping stays one
}

type PlaceKind = 'notebook' | 'file' | 'folder' | 'library' | 'requirements';

interface Place {
  readonly kind: PlaceKind;
  readonly path: Path;
}

function placesIn(job: MappingNode): Place[] {
  const hasGitSource = nodeAt(job, 'git_source') !== undefined;
  const places = listAt(job, 'tasks').flatMap((task, index) =>
    placesInTask(task, ['tasks', index], hasGitSource),
  );
  listAt(job, 'environments').forEach((environment, index) => {
    listAt(environment, 'spec', 'dependencies').forEach((dependency, position) => {
      const text = textAt(dependency) ?? '';
      // A plain name is a package of an index; only what looks like a path is one.
      if (/^\.{1,2}\//.test(text) || text.endsWith('.whl')) {
        places.push({ kind: 'library', path: ['environments', index, 'spec', 'dependencies', position] });
      }
    });
  });
  return places;
}

function placesInTask(task: Node, at: Path, hasGitSource: boolean): Place[] {
  const places: Place[] = [
    { kind: 'notebook', path: [...at, 'notebook_task', 'notebook_path'] },
    { kind: 'file', path: [...at, 'spark_python_task', 'python_file'] },
    { kind: 'file', path: [...at, 'sql_task', 'file', 'path'] },
    { kind: 'folder', path: [...at, 'dbt_task', 'project_directory'] },
  ];
  const fromGit =
    ['notebook_task', 'spark_python_task', 'dbt_task'].some(
      (kind) => textAt(task, kind, 'source') === 'GIT',
    ) ||
    textAt(task, 'sql_task', 'file', 'source') === 'GIT' ||
    // Of a job with a Git source these are read from there unless they say otherwise.
    (hasGitSource &&
      [['notebook_task'], ['sql_task', 'file'], ['dbt_task']].some(
        (kind) => nodeAt(task, ...kind) !== undefined && textAt(task, ...kind, 'source') === null,
      ));
  const kept = fromGit ? [] : places;
  listAt(task, 'libraries').forEach((library, index) => {
    for (const [kind] of entriesAt(library)) {
      if (kind === 'whl' || kind === 'jar')
        kept.push({ kind: 'library', path: [...at, 'libraries', index, kind] });
      if (kind === 'requirements')
        kept.push({ kind: 'requirements', path: [...at, 'libraries', index, kind] });
    }
  });
  const nested = nodeAt(task, 'for_each_task', 'task');
  if (nested === undefined) return kept;
  return [...kept, ...placesInTask(nested, [...at, 'for_each_task', 'task'], hasGitSource)];
}

function translate(node: ScalarNode, text: string, kind: PlaceKind, context: PathContext): string {
  if (text.startsWith(`${context.filePath}/`)) return translateRemote(text, kind, context);
  if (!isLocal(text)) return text;
  if (path.win32.isAbsolute(text) || text.includes('\\')) {
    context.problems.push(errorAt(node.at, `'${text}': write paths with / and relative to this file`));
    return text;
  }
  const found = findLocal(node, text, kind, context);
  if (found === null) return text;
  if (kind === 'library') return `${LOCAL_PREFIX}${found}`;
  return remotePath(found, kind, context);
}

/** `${workspace.file_path}/src/x.py` names a file of the bundle too. */
function translateRemote(text: string, kind: PlaceKind, context: PathContext): string {
  const local = path.posix.normalize(text.slice(context.filePath.length + 1));
  return kind === 'notebook' && context.files.has(local) ? remotePath(local, kind, context) : text;
}

function isLocal(text: string): boolean {
  return text !== '' && !/^(\/|~|\$\{|[A-Za-z][\w+.-]*:\/|dbfs:|\{\{)/.test(text);
}

function findLocal(node: ScalarNode, text: string, kind: PlaceKind, context: PathContext): string | null {
  const beside = path.posix.normalize(path.posix.join(path.posix.dirname(node.at.file), text));
  const below = path.posix.normalize(text);
  const candidates = [...new Set([beside, below])].filter(
    (candidate) => !candidate.startsWith('../') && candidate !== '..',
  );
  if (candidates.length === 0) {
    context.problems.push(errorAt(node.at, `'${text}' leads out of the bundle folder`));
    return null;
  }
  for (const candidate of candidates) {
    const match = existing(candidate, kind, context);
    if (match !== null) return match;
  }
  // Wheels and jars may be built later; the artifacts step looks for them.
  if (kind === 'library') return candidates[0] ?? null;
  const looked = candidates.join(' and ');
  context.problems.push(
    errorAt(
      node.at,
      `${kind} '${text}' does not exist (looked for ${looked}); check the path, and that .gitignore does not name it`,
    ),
  );
  return null;
}

function existing(candidate: string, kind: PlaceKind, context: PathContext): string | null {
  if (kind === 'folder') {
    return [...context.files.keys()].some((file) => file.startsWith(`${candidate}/`)) ? candidate : null;
  }
  if (context.files.has(candidate)) return candidate;
  if (kind !== 'notebook') return null;
  return (
    NOTEBOOK_EXTENSIONS.map((extension) => candidate + extension).find((file) => context.files.has(file)) ??
    null
  );
}

function remotePath(local: string, kind: PlaceKind, context: PathContext): string {
  const isNotebook = context.files.get(local)?.notebook !== null;
  const remote = `${context.filePath}/${local}`;
  if (kind !== 'notebook') return remote;
  return isNotebook && context.files.has(local) ? withoutExtension(remote) : remote;
}

export function withoutExtension(file: string): string {
  return file.slice(0, file.length - path.posix.extname(file).length);
}

/** A file that a task runs as a plain file must not have become a notebook on its way. */
export function warnOfNotebooksUsedAsFiles(job: MappingNode, context: PathContext): Problem[] {
  return tasksOf(job).flatMap(({ node: task }) => {
    const node = nodeAt(task, 'spark_python_task', 'python_file');
    const file = textAt(node);
    if (node === undefined || file === null || !file.startsWith(`${context.filePath}/`)) return [];
    const local = context.files.get(file.slice(context.filePath.length + 1));
    return local?.notebook == null
      ? []
      : [warningAt(node.at, `${local.path} is a notebook; run it with notebook_task`)];
  });
}
