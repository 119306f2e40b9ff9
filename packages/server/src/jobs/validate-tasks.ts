/** What is wrong with the tasks of a settings document beyond each one's own fields: how they hang together. */
import { formatPath, type NestedTask, type Task, tasksMax } from '@headrace/api';
import { findGraphProblems, findReferenceProblems, hasReference, parseInputs } from '@headrace/core';
import { findJvmTaskProblems } from './validate-jvm-tasks.ts';

/** Sentences that begin with the field and name the task. */
export function findTaskProblems(tasks: readonly Task[], jobId: number | null): string[] {
  const nested = tasks.flatMap(nestedOf);
  const count = tasks.length + nested.length;
  if (count > tasksMax) {
    return [
      `tasks: there are ${count} tasks, those of for-each tasks included; at most ${tasksMax} are allowed`,
    ];
  }
  return [
    ...findKeyProblems(tasks, nested),
    ...findOutcomeProblems(tasks),
    ...[...tasks, ...nested].flatMap((task) => [
      ...findOwnProblems(task, jobId).map((problem) => `task '${task.task_key}': ${problem}`),
    ]),
  ].map((problem) => `tasks: ${problem}`);
}

/** What each iteration of a for-each is. */
function nestedOf(task: Task): NestedTask[] {
  return task.for_each_task ? [task.for_each_task.task] : [];
}

function findKeyProblems(tasks: readonly Task[], nested: readonly NestedTask[]): string[] {
  const nodes = tasks.map((task) => ({
    key: task.task_key,
    dependsOn: (task.depends_on ?? []).map((dependency) => dependency.task_key),
  }));
  const outers = new Map(
    tasks.flatMap((task) => nestedOf(task).map((inner) => [inner.task_key, task.task_key])),
  );
  const problems = findGraphProblems(nodes).map((problem) => {
    const outer = problem.kind === 'unknown_dependency' ? outers.get(problem.keys[1] ?? '') : undefined;
    return outer === undefined
      ? problem.message
      : `task '${problem.keys[0]}' depends on '${problem.keys[1]}', which '${outer}' runs for each input; depend on '${outer}'`;
  });
  const seen = new Set(tasks.map((task) => task.task_key));
  for (const { task_key: key } of nested) {
    // The graph has named those that are doubled among the tasks themselves.
    if (seen.has(key)) problems.push(`task key '${key}' is used more than once, in a for-each too`);
    seen.add(key);
  }
  return problems;
}

/** Only a condition has branches. `SUCCESS` says what an edge says anyway. */
function findOutcomeProblems(tasks: readonly Task[]): string[] {
  // An unknown parent is named by the graph.
  const unconditional = new Set(tasks.filter((task) => !task.condition_task).map((task) => task.task_key));
  return tasks.flatMap((task) =>
    (task.depends_on ?? [])
      .filter(
        ({ task_key, outcome }) => (outcome === 'true' || outcome === 'false') && unconditional.has(task_key),
      )
      .map(
        ({ task_key: key, outcome }) =>
          `task '${task.task_key}' depends on outcome '${outcome}' of '${key}', which has no condition_task; leave outcome out`,
      ),
  );
}

function findOwnProblems(task: Task | NestedTask, jobId: number | null): string[] {
  const problems = [...referenceProblemsOf(task), ...findJvmTaskProblems(task)];
  const inputs = findInputsProblem(task);
  if (inputs !== null) problems.push(`for_each_task.inputs: ${inputs}`);
  if (jobId !== null && task.run_job_task?.job_id === jobId) {
    problems.push(`run_job_task.job_id: job ${jobId} cannot run itself`);
  }
  return problems;
}

/** With references in it, only the run can know. */
function findInputsProblem(task: Task | NestedTask): string | null {
  const inputs: unknown = task.for_each_task?.inputs;
  if (inputs === undefined || (typeof inputs === 'string' && hasReference(inputs))) return null;
  const parsed = parseInputs(typeof inputs === 'string' ? inputs : JSON.stringify(inputs));
  return 'problem' in parsed ? parsed.problem : null;
}

/** Where references may stand: everywhere but in prose. The task of an iteration is looked at by itself. */
export function* referenceProblemsOf(value: unknown, path: readonly PropertyKey[] = []): Iterable<string> {
  if (typeof value === 'string') {
    for (const problem of findReferenceProblems(value)) yield `${formatPath(path)}: ${problem}`;
  } else if (Array.isArray(value)) {
    for (const [index, part] of value.entries()) yield* referenceProblemsOf(part, [...path, index]);
  } else if (typeof value === 'object' && value !== null) {
    for (const [name, part] of Object.entries(value)) {
      if (name === 'description') continue;
      const isForEach = name === 'for_each_task' && typeof part === 'object' && part !== null;
      yield* referenceProblemsOf(isForEach ? { inputs: part.inputs } : part, [...path, name]);
    }
  }
}
