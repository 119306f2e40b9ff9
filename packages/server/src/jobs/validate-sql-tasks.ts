/** What is wrong with a SQL or dbt task, as far as its own fields tell. */
import type { JobSettings, NestedTask, Task } from '@headrace/api';

const works = ['query', 'file', 'alert', 'dashboard'] as const;
/** Its own console, and what would answer to nobody. */
const refusedCommands = ['init', 'docs serve'];

export function findSqlTaskProblems({
  tasks = [],
  git_source: source,
}: Pick<JobSettings, 'tasks' | 'git_source'>): string[] {
  const all: (Task | NestedTask)[] = tasks.flatMap((task) =>
    task.for_each_task ? [task, task.for_each_task.task] : [task],
  );
  return all.flatMap((task) =>
    [...findSqlProblems(task), ...findDbtProblems(task, source !== undefined)].map(
      (problem) => `tasks: task '${task.task_key}': ${problem}`,
    ),
  );
}

function findSqlProblems({ sql_task: sql }: Task | NestedTask): string[] {
  if (!sql) return [];
  const named = works.filter((name) => sql[name] !== undefined);
  if (named.length === 0) return ['sql_task: names nothing to run; give it one of query, file, alert'];
  if (named.length > 1) return [`sql_task: names several things to run (${named.join(', ')}); keep one`];
  return [];
}

function findDbtProblems({ dbt_task: dbt }: Task | NestedTask, hasSource: boolean): string[] {
  if (!dbt) return [];
  const commands = dbt.commands ?? [];
  const problems: string[] = [];
  if (commands.length === 0) problems.push('dbt_task.commands: give at least one, as "dbt run"');
  for (const command of commands) {
    const words = command.trim().split(/\s+/);
    if (words[0] !== 'dbt' || words.length < 2)
      problems.push(
        `dbt_task.commands: '${command}' is no command of dbt; it begins with 'dbt', as "dbt run"`,
      );
    else if (refusedCommands.some((refused) => words.slice(1).join(' ').startsWith(refused)))
      problems.push(`dbt_task.commands: '${command}' waits for a person and cannot be run by a job`);
  }
  const isInGit = (dbt.source ?? (hasSource ? 'GIT' : 'WORKSPACE')) === 'GIT';
  if (!isInGit && (dbt.project_directory ?? '').trim() === '')
    problems.push('dbt_task.project_directory: name the folder of the project in the workspace');
  return problems;
}
