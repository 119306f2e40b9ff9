// A job's graph, checked by the rules of the core, each finding placed on the task it names.

import { findGraphProblems } from '@headrace/core';
import { listAt, type MappingNode, type Node, at as nodeAt, textAt } from '../nodes.ts';
import { errorAt, type Position, type Problem } from '../problem.ts';
import { findNearest } from './known-keys.ts';

export function findJobGraphProblems(job: MappingNode): Problem[] {
  const tasks = listAt(job, 'tasks').filter((task) => textAt(task, 'task_key') !== null);
  const nodes = tasks.map((task) => ({
    key: textAt(task, 'task_key') ?? '',
    dependsOn: listAt(task, 'depends_on').flatMap((parent) => textAt(parent, 'task_key') ?? []),
  }));
  return findGraphProblems(nodes).map((problem) => {
    const [key = '', parent = ''] = problem.keys;
    if (problem.kind === 'unknown_dependency') {
      const nearest = findNearest(
        parent,
        nodes.map((node) => node.key),
      );
      const cure = nearest === null ? '' : `; did you mean '${nearest}'?`;
      return errorAt(placeOfDependency(tasks, key, parent), problem.message + cure);
    }
    const last = problem.kind === 'duplicate_key';
    return errorAt(placeOfTask(tasks, key, { last }), problem.message);
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
