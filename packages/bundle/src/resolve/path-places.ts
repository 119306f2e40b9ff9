// Where resources hold paths of local files.

import { entriesAt, listAt, type MappingNode, type Node, at as nodeAt, textAt } from '../nodes.ts';

export type PathKind =
  | 'notebook'
  | 'file'
  | 'folder'
  /** Files of a pipeline, by a pattern. */
  | 'glob'
  /** A wheel or jar, perhaps not built yet. */
  | 'library'
  /** An entry of an environment: a package, a wheel, or `-r` and a file. */
  | 'dependency'
  | 'requirements';

export interface PathPlace {
  readonly kind: PathKind;
  readonly node: Node;
}

export function placesInJob(job: MappingNode): PathPlace[] {
  const hasGitSource = nodeAt(job, 'git_source') !== undefined;
  return [
    ...listAt(job, 'tasks').flatMap((task) => placesInTask(task, hasGitSource)),
    ...listAt(job, 'environments').flatMap((environment) =>
      listAt(environment, 'spec', 'dependencies').map((node): PathPlace => ({ kind: 'dependency', node })),
    ),
    ...listAt(job, 'job_clusters').flatMap((cluster) => initScripts(nodeAt(cluster, 'new_cluster'))),
  ];
}

export function placesInPipeline(pipeline: MappingNode): PathPlace[] {
  const places = listAt(pipeline, 'libraries').flatMap((library) => [
    ...place('notebook', nodeAt(library, 'notebook', 'path')),
    ...place('file', nodeAt(library, 'file', 'path')),
    ...place('glob', nodeAt(library, 'glob', 'include')),
  ]);
  return [...places, ...place('folder', nodeAt(pipeline, 'root_path'))];
}

function placesInTask(task: Node, hasGitSource: boolean): PathPlace[] {
  const nested = nodeAt(task, 'for_each_task', 'task');
  return [
    ...(isFromGit(task, hasGitSource) ? [] : placesOfSource(task)),
    ...listAt(task, 'libraries').flatMap((library) =>
      entriesAt(library).flatMap(([kind, { value }]): PathPlace[] => {
        if (kind === 'whl' || kind === 'jar') return [{ kind: 'library', node: value }];
        return kind === 'requirements' ? [{ kind: 'requirements', node: value }] : [];
      }),
    ),
    ...initScripts(nodeAt(task, 'new_cluster')),
    ...(nested === undefined ? [] : placesInTask(nested, hasGitSource)),
  ];
}

function placesOfSource(task: Node): PathPlace[] {
  return [
    ...place('notebook', nodeAt(task, 'notebook_task', 'notebook_path')),
    ...place('file', nodeAt(task, 'spark_python_task', 'python_file')),
    ...place('file', nodeAt(task, 'sql_task', 'file', 'path')),
    ...place('folder', nodeAt(task, 'dbt_task', 'project_directory')),
  ];
}

function isFromGit(task: Node, hasGitSource: boolean): boolean {
  const kinds = [['notebook_task'], ['spark_python_task'], ['dbt_task'], ['sql_task', 'file']];
  if (kinds.some((kind) => textAt(task, ...kind, 'source') === 'GIT')) return true;
  // Of a job with a Git source these are read from there unless they say otherwise.
  return (
    hasGitSource &&
    [['notebook_task'], ['sql_task', 'file'], ['dbt_task']].some(
      (kind) => nodeAt(task, ...kind) !== undefined && textAt(task, ...kind, 'source') === null,
    )
  );
}

/** Of a cluster; other places than the workspace are no files of the bundle. */
function initScripts(cluster: Node | undefined): PathPlace[] {
  return listAt(cluster, 'init_scripts').flatMap((script) => {
    const node = nodeAt(script, 'workspace', 'destination');
    return /^\.{1,2}\//.test(textAt(node) ?? '') ? place('file', node) : [];
  });
}

function place(kind: PathKind, node: Node | undefined): PathPlace[] {
  return node === undefined ? [] : [{ kind, node }];
}
