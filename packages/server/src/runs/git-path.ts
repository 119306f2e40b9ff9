/** Whether a task is read from the job's Git source, by the rules of the public API. */
import type { JobSettings } from '@headrace/api';
import type { WrittenTask } from './task-documents.ts';

/** The path as it is written; null for a task that is not. */
export function findGitPath(
  task: WrittenTask,
  { git_source: source }: Pick<JobSettings, 'git_source'>,
): string | null {
  const { notebook_task: notebook, spark_python_task: file } = task;
  // Of a notebook, the Git source is the default where there is one.
  if (notebook && (notebook.source ?? (source ? 'GIT' : 'WORKSPACE')) === 'GIT')
    return notebook.notebook_path;
  // Of a Python file it is not; but a relative path can mean nothing else.
  if (file && (file.source ?? (source && isRelative(file.python_file) ? 'GIT' : 'WORKSPACE')) === 'GIT')
    return file.python_file;
  return findSqlGitPath(task, source !== undefined);
}

/** Of these, as of notebooks, the Git source is the default. Empty: the root of the repository. */
function findSqlGitPath({ sql_task: sql, dbt_task: dbt }: WrittenTask, hasSource: boolean): string | null {
  const fallback = hasSource ? 'GIT' : 'WORKSPACE';
  if (sql?.file && (sql.file.source ?? fallback) === 'GIT') return sql.file.path;
  return dbt && (dbt.source ?? fallback) === 'GIT' ? (dbt.project_directory ?? '') : null;
}

function isRelative(path: string): boolean {
  return !path.startsWith('/') && !/^[a-z0-9]+:/i.test(path);
}
