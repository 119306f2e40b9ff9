// `{{…}}` references are resolved when a task starts; what can be known to be wrong is said now.

import { findReferenceProblems } from '@headrace/core';
import { suggest } from '../find-nearest.ts';
import { listAt, type MappingNode, mapScalars, textAt } from '../nodes.ts';
import { errorAt, type Position, type Problem, warningAt } from '../problem.ts';
import { tasksOf } from '../resolve/job-tasks.ts';

/** `{{tasks.<key>.…}}` and `{{job.parameters.<name>}}`; names that need quoting are left to the run. */
const NAMED = /\{\{\s*(tasks|job\.parameters)\.([\w-]+)\b[^{}]*\}\}/g;

export function findJobReferenceProblems(job: MappingNode): Problem[] {
  const problems: Problem[] = [];
  const nested = tasksOf(job).flatMap(({ key, forEach }): [string, string][] =>
    key === null || forEach === null ? [] : [[key, textAt(forEach, 'task_key') ?? '']],
  );
  const names = {
    nested: new Map(nested),
    tasks: namesOf(job, { list: 'tasks', key: 'task_key' }),
    parameters: namesOf(job, { list: 'parameters', key: 'name' }),
  };
  mapScalars(job, (scalar) => {
    if (typeof scalar.value === 'string' && scalar.value.includes('{{')) {
      for (const message of findReferenceProblems(scalar.value))
        problems.push(errorAt(scalar.at, message, 'correct what stands in the braces'));
      problems.push(...findUnknownNames(scalar.value, scalar.at, names));
    }
    return scalar;
  });
  return problems;
}

interface Names {
  readonly tasks: readonly string[];
  readonly parameters: readonly string[];
  /** Key of a for-each's task → the for-each. */
  readonly nested: ReadonlyMap<string, string>;
}

function findUnknownNames(text: string, at: Position, names: Names): Problem[] {
  return [...text.matchAll(NAMED)].flatMap(([whole, space, name = '']) => {
    const known = space === 'tasks' ? names.tasks : names.parameters;
    if (known.includes(name)) return [];
    const forEach = space === 'tasks' ? names.nested.get(name) : undefined;
    if (forEach !== undefined) {
      const message = `${whole} names task '${name}', which runs once for each input of '${forEach}'`;
      return [errorAt(at, message, `write tasks.${forEach}, whose values are lists`)];
    }
    const what = space === 'tasks' ? 'task' : 'job parameter';
    const message = `${whole} names ${what} '${name}', which this job does not have`;
    // A run may still bring a parameter of that name; a task it cannot bring.
    if (space === 'tasks') return [errorAt(at, message, suggest(name, known, 'name a task of this job'))];
    return [warningAt(at, message, suggest(name, known, 'declare it under parameters of the job'))];
  });
}

function namesOf(job: MappingNode, { list, key }: { list: string; key: string }): string[] {
  return listAt(job, list).flatMap((entry) => textAt(entry, key) ?? []);
}
