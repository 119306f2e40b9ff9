// What a task's own fields leave out or say twice, so that the job could not be saved or its task not start.

import { findGitProvider, gitProviders } from '@headrace/api';
import {
  entriesAt,
  isEmpty,
  listAt,
  type MappingNode,
  type Node,
  at as nodeAt,
  type Path,
  scalarAt,
  textAt,
} from '../nodes.ts';
import { errorAt, type Problem } from '../problem.ts';
import { type JobTask, tasksOf } from '../resolve/job-tasks.ts';

/** Lists of a job whose entries are told apart by a field. */
const KEYS: Readonly<Record<string, string>> = {
  job_clusters: 'job_cluster_key',
  environments: 'environment_key',
  parameters: 'name',
};

export function findWorkProblems(job: MappingNode): Problem[] {
  return [
    ...Object.entries(KEYS).flatMap(([list, key]) => findDoubled(job, list, key)),
    ...checkGitSource(nodeAt(job, 'git_source')),
    ...listAt(job, 'job_clusters').flatMap((cluster) => checkCluster(nodeAt(cluster, 'new_cluster'))),
    ...tasksOf(job).flatMap((task) => [
      ...checkSql(task),
      ...checkDbt(task, job),
      ...checkJar(task),
      ...checkSubmit(task),
      ...checkSource(task, job),
      ...checkCluster(nodeAt(task.node, 'new_cluster')),
    ]),
  ];
}

function findDoubled(job: MappingNode, list: string, key: string): Problem[] {
  const seen = new Set<string>();
  return listAt(job, list).flatMap((entry) => {
    const name = textAt(entry, key);
    const isTwin = name !== null && seen.has(name);
    if (name !== null) seen.add(name);
    const place = nodeAt(entry, key) ?? entry;
    return isTwin ? [errorAt(place.at, `${list}: '${name}' is used more than once`, 'keep one of them')] : [];
  });
}

const SQL_WORKS = ['query', 'file', 'alert', 'dashboard'];

function checkSql({ node, key }: JobTask): Problem[] {
  const sql = nodeAt(node, 'sql_task');
  if (sql?.kind !== 'mapping') return [];
  const named = SQL_WORKS.filter((work) => !isEmpty(nodeAt(sql, work)));
  if (named.length === 1) return [];
  const what = named.length === 0 ? 'nothing' : `several things (${named.join(', ')})`;
  const cure = named.length === 0 ? 'give it one of query, file and alert' : 'make one task of each';
  return [errorAt(sql.at, `sql_task of task '${key}' names ${what} to run`, cure)];
}

/** Commands that wait for a person. */
const CONSOLE_COMMANDS = /^(init|docs serve)\b/;

function checkDbt({ node, key }: JobTask, job: MappingNode): Problem[] {
  const dbt = nodeAt(node, 'dbt_task');
  if (dbt?.kind !== 'mapping') return [];
  const commands = listAt(dbt, 'commands');
  const problems = commands.flatMap((command) => {
    const words = (textAt(command) ?? '').trim().split(/\s+/);
    if (textAt(command) === null || hasReference(command)) return [];
    if (words[0] !== 'dbt' || words.length < 2)
      return [errorAt(command.at, `'${textAt(command)}' is no command of dbt`, 'write it as: dbt run')];
    return CONSOLE_COMMANDS.test(words.slice(1).join(' '))
      ? [errorAt(command.at, `'${textAt(command)}' waits for a person`, 'take it out of the job')]
      : [];
  });
  if (commands.length === 0 && nodeAt(dbt, 'commands')?.kind !== 'scalar')
    problems.push(errorAt(dbt.at, `dbt_task of task '${key}' has no commands`, 'add commands: [dbt run]'));
  const source = textAt(dbt, 'source') ?? (isEmpty(nodeAt(job, 'git_source')) ? 'WORKSPACE' : 'GIT');
  if (source !== 'GIT' && isEmpty(nodeAt(dbt, 'project_directory'))) {
    const message = `dbt_task of task '${key}' names no project`;
    problems.push(errorAt(dbt.at, message, 'add project_directory, relative to this file'));
  }
  return problems;
}

function checkJar({ node, key }: JobTask): Problem[] {
  const jar = nodeAt(node, 'spark_jar_task');
  if (jar?.kind !== 'mapping') return [];
  const problems: Problem[] = [];
  if (isEmpty(nodeAt(jar, 'main_class_name')))
    problems.push(errorAt(jar.at, `spark_jar_task of task '${key}' names no class`, 'add main_class_name'));
  // An environment may bring the JAR, and so may an all-purpose cluster that has libraries.
  const places: Path[] = [['spark_jar_task', 'jar_uri'], ['environment_key'], ['existing_cluster_id']];
  const mayHaveJar =
    places.some((path) => !isEmpty(nodeAt(node, ...path))) ||
    listAt(node, 'libraries').some((library) =>
      entriesAt(library).some(([kind]) => kind === 'jar' || kind === 'maven'),
    );
  if (!mayHaveJar && nodeAt(node, 'libraries')?.kind !== 'scalar') {
    const message = `no JAR of task '${key}' holds its main class`;
    problems.push(errorAt(jar.at, message, 'add it to the task: libraries: [{jar: ./target/x.jar}]'));
  }
  return problems;
}

/** Options that decide where Spark runs: the task's cluster does. */
const PLACE_OPTION = /^--(master|deploy-mode|executor-cores)(=|$)/;

function checkSubmit({ node, key }: JobTask): Problem[] {
  const submit = nodeAt(node, 'spark_submit_task');
  if (submit?.kind !== 'mapping') return [];
  const parameters = nodeAt(submit, 'parameters');
  if (isEmpty(parameters) || (parameters?.kind === 'list' && parameters.entries.length === 0)) {
    const message = `spark_submit_task of task '${key}' names no application`;
    return [errorAt(submit.at, message, 'add parameters: what would follow spark-submit')];
  }
  return listAt(parameters).flatMap((parameter) => {
    const option = textAt(parameter) ?? '';
    if (!PLACE_OPTION.test(option)) return [];
    return [errorAt(parameter.at, `${option} cannot be given: the task's cluster decides it`, 'take it out')];
  });
}

/** Where a task says that its file is in the job's repository. */
const SOURCES: readonly Path[] = [
  ['notebook_task', 'source'],
  ['spark_python_task', 'source'],
  ['dbt_task', 'source'],
  ['sql_task', 'file', 'source'],
];

function checkSource({ node, key }: JobTask, job: MappingNode): Problem[] {
  if (!isEmpty(nodeAt(job, 'git_source'))) return [];
  return SOURCES.flatMap((path) => {
    const source = nodeAt(node, ...path);
    if (source === undefined || textAt(source) !== 'GIT') return [];
    const message = `task '${key}' has source GIT, and the job has no git_source`;
    return [errorAt(source.at, message, 'add git_source to the job, or write WORKSPACE')];
  });
}

const GIT_REFERENCES = ['git_branch', 'git_tag', 'git_commit'];

function checkGitSource(source: Node | undefined): Problem[] {
  if (source?.kind !== 'mapping') return [];
  const problems: Problem[] = [];
  const provider = nodeAt(source, 'git_provider');
  const name = textAt(provider);
  if (
    provider !== undefined &&
    name !== null &&
    !hasReference(provider) &&
    findGitProvider(name) === undefined
  ) {
    const message = `git_source: '${name}' hosts no repositories that are known here`;
    problems.push(errorAt(provider.at, message, `write one of ${gitProviders.join(', ')}`));
  }
  const named = GIT_REFERENCES.filter((field) => !isEmpty(nodeAt(source, field)));
  if (named.length < 2) return problems;
  return [...problems, errorAt(source.at, `git_source names ${named.join(' and ')}`, 'keep one of them')];
}

function checkCluster(cluster: Node | undefined): Problem[] {
  const limits = nodeAt(cluster, 'autoscale');
  const [min, max] = ['min_workers', 'max_workers'].map((field) => scalarAt(limits, field));
  if (limits === undefined || typeof min !== 'number' || typeof max !== 'number' || min <= max) return [];
  const message = `autoscale: min_workers (${min}) is more than max_workers (${max})`;
  return [errorAt(limits.at, message, 'write the smaller number as min_workers')];
}

/** What a reference or a parameter becomes is not known here. */
function hasReference(node: Node): boolean {
  return /\$\{|\{\{/.test(textAt(node) ?? '');
}
