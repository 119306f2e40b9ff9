// Keys the file format knows at each level. A key that is not among them is most often a typing mistake: a warning
// that names the nearest known one.

import {
  ConditionTask,
  ForEachTask,
  HeadraceSettings,
  JobCluster,
  JobParameterDefinition,
  JobSettings,
  NotebookTask,
  PythonWheelTask,
  QueueSettings,
  RunJobTask,
  SparkJarTask,
  SparkPythonTask,
  SparkSubmitTask,
  TaskExtra,
  taskFields,
} from '@headrace/api';
import { type Entry, entriesAt, listAt, type MappingNode, type Node, at as nodeAt } from '../nodes.ts';
import { type Problem, warningAt } from '../problem.ts';

/** BUNDLES.md, "Files and top-level mappings". */
const TOP_LEVEL = [
  'bundle',
  'run_as',
  'include',
  'scripts',
  'sync',
  'variables',
  'artifacts',
  'workspace',
  'resources',
  'targets',
  'permissions',
  'presets',
  'experimental',
];
const TARGET = [
  'default',
  'mode',
  'bundle',
  'run_as',
  'sync',
  'variables',
  'artifacts',
  'workspace',
  'resources',
  'permissions',
  'presets',
  'git',
  'cluster_id',
  'compute_id',
];
const SECTIONS: Readonly<Record<string, readonly string[]>> = {
  bundle: [
    'name',
    'databricks_cli_version',
    'cluster_id',
    'compute_id',
    'deployment',
    'git',
    'uuid',
    'target',
    'environment',
  ],
  sync: ['include', 'exclude', 'paths'],
  presets: [
    'name_prefix',
    'pipelines_development',
    'trigger_pause_status',
    'jobs_max_concurrent_runs',
    'tags',
    'source_linked_deployment',
  ],
  run_as: ['user_name', 'service_principal_name', 'group_name'],
};
const VARIABLE = ['default', 'description', 'type', 'lookup'];
const ARTIFACT = ['type', 'build', 'path', 'files', 'executable', 'dynamic_version'];
/** Fields of the public API that the contract keeps without a type of its own. */
const JOB = [
  ...Object.keys(JobSettings.shape),
  'access_control_list',
  'budget_policy_id',
  'duration_target',
  'environment_variables',
  'parent_path',
  'triggers',
  'usage_policy_id',
  'permissions',
];
const TASK = [
  'task_key',
  ...Object.keys(taskFields),
  'compute',
  'disable_auto_optimization',
  'environment_variables_key',
];
const TASK_KINDS: Readonly<Record<string, readonly string[]>> = {
  notebook_task: Object.keys(NotebookTask.shape),
  spark_python_task: Object.keys(SparkPythonTask.shape),
  python_wheel_task: Object.keys(PythonWheelTask.shape),
  spark_jar_task: [...Object.keys(SparkJarTask.shape), 'run_as_repl'],
  spark_submit_task: Object.keys(SparkSubmitTask.shape),
  condition_task: Object.keys(ConditionTask.shape),
  for_each_task: Object.keys(ForEachTask.shape),
  sql_task: ['warehouse_id', 'alert', 'dashboard', 'file', 'parameters', 'query'],
  run_job_task: Object.keys(RunJobTask.shape),
};
const LEVELS = {
  parameters: Object.keys(JobParameterDefinition.shape),
  headrace: Object.keys(HeadraceSettings.shape),
  task_headrace: Object.keys(TaskExtra.shape),
  queue: Object.keys(QueueSettings.shape),
  depends_on: ['task_key', 'outcome'],
  schedule: ['quartz_cron_expression', 'timezone_id', 'pause_status', 'sql_condition'],
  job_clusters: [...Object.keys(JobCluster.shape), 'serverless_compute', 'serverless_compute_id'],
};

export function findUnknownKeys(root: MappingNode, targetNames: readonly string[] = []): Problem[] {
  const problems = [...check(root, TOP_LEVEL, 'the top level')];
  for (const [section, keys] of Object.entries(SECTIONS))
    problems.push(...check(nodeAt(root, section), keys, section));
  for (const [name, { value }] of entriesAt(root, 'artifacts'))
    problems.push(...check(value, ARTIFACT, `artifact ${name}`));
  for (const [name, { value }] of entriesAt(root, 'variables'))
    problems.push(...check(value, VARIABLE, `variable ${name}`));
  for (const [name, { value }] of entriesAt(root, 'targets')) {
    problems.push(...check(value, TARGET, `target ${name}`));
    // Other targets are checked where they are written; the chosen one is part of the merged jobs already.
    if (!targetNames.includes(name)) continue;
    for (const [key, job] of entriesAt(value, 'resources', 'jobs')) problems.push(...checkJob(key, job));
  }
  for (const [key, job] of entriesAt(root, 'resources', 'jobs')) problems.push(...checkJob(key, job));
  return problems;
}

function checkJob(key: string, job: Entry): Problem[] {
  const tasks = listAt(job.value, 'tasks');
  return [
    ...check(job.value, JOB, `job ${key}`),
    ...check(nodeAt(job.value, 'schedule'), LEVELS.schedule, 'schedule'),
    ...check(nodeAt(job.value, 'queue'), LEVELS.queue, 'queue'),
    ...check(nodeAt(job.value, 'headrace'), LEVELS.headrace, 'headrace'),
    ...listAt(job.value, 'parameters').flatMap((parameter) =>
      check(parameter, LEVELS.parameters, 'a job parameter'),
    ),
    ...listAt(job.value, 'job_clusters').flatMap((cluster) =>
      check(cluster, LEVELS.job_clusters, 'a job cluster'),
    ),
    ...tasks.flatMap(checkTask),
  ];
}

function checkTask(task: Node): Problem[] {
  const nested = nodeAt(task, 'for_each_task', 'task');
  return [
    ...check(task, TASK, 'a task'),
    ...check(nodeAt(task, 'headrace'), LEVELS.task_headrace, 'headrace of a task'),
    ...Object.entries(TASK_KINDS).flatMap(([kind, keys]) => check(nodeAt(task, kind), keys, kind)),
    ...listAt(task, 'depends_on').flatMap((parent) => check(parent, LEVELS.depends_on, 'depends_on')),
    ...(nested === undefined ? [] : checkTask(nested)),
  ];
}

function check(node: Node | undefined, known: readonly string[], level: string): Problem[] {
  return entriesAt(node)
    .filter(([key]) => !known.includes(key))
    .map(([key, entry]) => {
      const nearest = findNearest(key, known);
      const cure = nearest === null ? 'it is kept and has no effect here' : `did you mean '${nearest}'?`;
      return warningAt(entry.keyAt, `'${key}' is not known in ${level}; ${cure}`);
    });
}

/** The known name that needs the fewest changes, if those are few. */
export function findNearest(name: string, known: readonly string[]): string | null {
  let best: { name: string; changes: number } | null = null;
  for (const candidate of known) {
    const changes = countChanges(name, candidate);
    if (best === null || changes < best.changes) best = { name: candidate, changes };
  }
  return best !== null && best.changes <= Math.max(1, Math.floor(name.length / 3)) ? best.name : null;
}

/** Levenshtein's distance. */
function countChanges(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
