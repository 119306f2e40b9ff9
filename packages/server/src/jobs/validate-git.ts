/** What is wrong with a job's Git source, and with tasks that are read from it. The network is asked by the run. */
import { findGitProvider, gitProviders, type JobSettings, type NestedTask, type Task } from '@headrace/api';
import { hasReference } from '@headrace/core';
import type { Config } from '../config.ts';
import { readReference } from '../git/git-reference.ts';
import { parseGitUrl } from '../git/git-url.ts';
import { isInCone, readCone } from '../git/sparse-cone.ts';
import { findGitPath } from '../runs/git-path.ts';

export function findGitProblems(
  settings: JobSettings,
  { gitProtocols }: Pick<Config, 'gitProtocols'>,
): string[] {
  const { git_source: source } = settings;
  const tasks: (Task | NestedTask)[] = (settings.tasks ?? []).flatMap((task) =>
    task.for_each_task ? [task, task.for_each_task.task] : [task],
  );
  const problems = source ? findSourceProblems(source, gitProtocols) : [];
  const cone = readCone(source?.sparse_checkout?.patterns ?? []);
  const isSparse = source?.sparse_checkout?.patterns !== undefined;
  if ('problem' in cone) problems.push(`git_source.sparse_checkout: ${cone.problem}`);
  for (const task of tasks) {
    const path = findGitPath(task, settings);
    if (path === null) continue;
    const where = `tasks: task '${task.task_key}': ${gitKinds.find((kind) => task[kind] !== undefined)}`;
    if (!source) problems.push(`${where} has source GIT, and the job has no git_source`);
    else if (!hasReference(path) && !isBelow(path))
      problems.push(
        `${where}: "${path}" must be a path in the repository, without a slash before it and without ".."`,
      );
    // Empty: a dbt project that is the repository itself.
    else if (path !== '' && isSparse && !('problem' in cone) && !hasReference(path) && !isInCone(path, cone))
      problems.push(`${where}: "${path}" is in none of the folders of git_source.sparse_checkout`);
  }
  return problems;
}

/** Kinds of work whose files may come from the job's Git source. */
const gitKinds = ['notebook_task', 'spark_python_task', 'sql_task', 'dbt_task'] as const;

function findSourceProblems(
  source: NonNullable<JobSettings['git_source']>,
  protocols: Config['gitProtocols'],
): string[] {
  const problems: string[] = [];
  const url = parseGitUrl(source.git_url, protocols);
  if ('problem' in url) problems.push(`git_source.git_url: ${url.problem}`);
  if (findGitProvider(source.git_provider) === undefined) {
    problems.push(`git_source.git_provider: "${source.git_provider}" is none of ${gitProviders.join(', ')}`);
  }
  const reference = readReference(source);
  if ('problem' in reference) problems.push(`git_source: ${reference.problem}`);
  return problems;
}

function isBelow(path: string): boolean {
  return !path.startsWith('/') && !path.split('/').includes('..');
}
