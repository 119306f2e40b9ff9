// A job's graph, checked by the rules of the core, each finding placed on the task it names.

import { findGraphProblems } from '@headrace/core';
import { suggest } from '../find-nearest.ts';
import { listAt, type MappingNode, type Node, at as nodeAt, textAt } from '../nodes.ts';
import { errorAt, type Position, type Problem } from '../problem.ts';
import { type JobTask, tasksOf } from '../resolve/job-tasks.ts';

export function findJobGraphProblems(job: MappingNode): Problem[] {
  const all = tasksOf(job).filter(({ key }) => key !== null);
  const tasks = all.filter(({ forEach }) => forEach === null).map(({ node }) => node);
  const nodes = tasks.map((task) => ({
    key: textAt(task, 'task_key') ?? '',
    dependsOn: listAt(task, 'depends_on').flatMap((parent) => textAt(parent, 'task_key') ?? []),
  }));
  const problems = findGraphProblems(nodes).map((problem) => {
    const [key = '', parent = ''] = problem.keys;
    const forEach = problem.kind === 'unknown_dependency' ? forEachOf(all, parent) : null;
    if (forEach !== null) {
      const message = `task '${key}' depends on '${parent}', which for-each task '${forEach}' runs`;
      return errorAt(placeOfDependency(tasks, key, parent), message, `depend on '${forEach}'`);
    }
    if (problem.kind === 'unknown_dependency') {
      const known = nodes.map((node) => node.key).filter((other) => other !== key);
      const cure = suggest(parent, known, 'name a task of this job, or take the dependency out');
      return errorAt(placeOfDependency(tasks, key, parent), problem.message, cure);
    }
    const last = problem.kind === 'duplicate_key';
    return errorAt(placeOfTask(tasks, key, { last }), problem.message, CURES[problem.kind]);
  });
  return [...problems, ...findNestedDuplicates(all)];
}

const CURES = {
  cycle: 'take one of these dependencies out',
  duplicate_key: 'give one of them another key',
  self_dependency: 'take this dependency out',
} as const;

/** The for-each that runs the task of this key; null: no for-each does. */
function forEachOf(tasks: readonly JobTask[], key: string): string | null {
  const nested = tasks.find((task) => task.key === key && task.forEach !== null);
  return textAt(nested?.forEach ?? undefined, 'task_key');
}

/** Runs, logs and repairs name the task of a for-each by its key, so it is unique among all keys of the job. */
function findNestedDuplicates(tasks: readonly JobTask[]): Problem[] {
  return tasks.flatMap(({ key, forEach, node }, index) => {
    if (forEach === null) return [];
    const twin = tasks.some((task, other) => task.key === key && (task.forEach === null || other < index));
    const place = nodeAt(node, 'task_key') ?? node;
    const message = `task key '${key}' is used more than once`;
    return twin ? [errorAt(place.at, message, 'give the task of the for-each a key of its own')] : [];
  });
}

function placeOfTask(tasks: readonly Node[], key: string, { last }: { last: boolean }): Position {
  const matches = tasks.filter((task) => textAt(task, 'task_key') === key);
  const task = last ? matches.at(-1) : matches[0];
  return (nodeAt(task, 'task_key') ?? task)?.at ?? { file: '', line: 1, column: 1 };
}

function placeOfDependency(tasks: readonly Node[], key: string, parent: string): Position {
  for (const task of tasks.filter((candidate) => textAt(candidate, 'task_key') === key)) {
    const dependency = listAt(task, 'depends_on').find(
      (candidate) => textAt(candidate, 'task_key') === parent,
    );
    const place = nodeAt(dependency, 'task_key');
    if (place !== undefined) return place.at;
  }
  return placeOfTask(tasks, key, { last: false });
}
