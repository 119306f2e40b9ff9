// Conditions, for-each and run-job tasks: what would surprise when the job runs, or on a hosted workspace.

import { conditionOps, findTaskKinds, runnableTaskKinds } from '@headrace/api';
import { hasReference, looksNumeric, parseInputs } from '@headrace/core';
import { suggest } from '../find-nearest.ts';
import {
  entriesAt,
  listAt,
  type MappingNode,
  type Node,
  at as nodeAt,
  scalarAt,
  textAt,
  toPlain,
} from '../nodes.ts';
import { errorAt, type Problem, warningAt } from '../problem.ts';
import { pendingResources } from '../resolve/interpolate.ts';
import { type JobTask, tasksOf } from '../resolve/job-tasks.ts';

export function findControlFlowProblems(
  job: MappingNode,
  others: ReadonlyMap<string, MappingNode>,
): Problem[] {
  const tasks = tasksOf(job);
  return tasks.flatMap((task) => [
    ...checkKind(task),
    ...checkGuard(task),
    ...checkComparison(task),
    ...checkRetries(task),
    ...checkLabels(task),
    ...checkBranches(task, tasks),
    ...checkInputs(task),
    ...checkInputReferences(task),
    ...checkChildParameters(task, others),
  ]);
}

function kindsOf(task: Node): string[] {
  return [...findTaskKinds(Object.fromEntries(entriesAt(task).map(([key, { value }]) => [key, value])))];
}

/** Kinds that exist on the hosted product alone are stored with the job, and refused where they would run. */
function checkKind({ node, key }: JobTask): Problem[] {
  return kindsOf(node)
    .filter((kind) => !runnableTaskKinds.some((runnable) => runnable === kind))
    .map((kind) => {
      const message = `task '${key}' is a ${kind}, which is not supported here: the job is deployed, and its runs are refused`;
      return warningAt(
        (nodeAt(node, kind) ?? node).at,
        message,
        'keep it for the hosted product, or take it out',
      );
    });
}

function checkGuard({ node, key }: JobTask): Problem[] {
  const condition = nodeAt(node, 'condition_task');
  const work = kindsOf(node).filter((kind) => kind !== 'condition_task');
  if (condition === undefined || work.length === 0) return [];
  const message = `task '${key}' has a condition_task beside its ${work.join(', ')}: it runs only if the condition holds, a form that hosted workspaces refuse`;
  const cure = 'where it must run there too, make the condition a task of its own';
  return [warningAt(condition.at, message, cure)];
}

/** Equality compares texts, so `12.0` is not `12`, which whoever writes two numbers does not expect; the others numbers. */
function checkComparison({ node }: JobTask): Problem[] {
  const op = textAt(node, 'condition_task', 'op');
  const [left, right] = ['left', 'right'].map((side) => scalarAt(node, 'condition_task', side));
  const place = nodeAt(node, 'condition_task', 'op');
  const isKnown = conditionOps.some((known) => known === op);
  if (place === undefined || !isKnown || left == null || right == null) return [];
  if (op !== 'EQUAL_TO' && op !== 'NOT_EQUAL') {
    return [left, right]
      .map(String)
      .filter((side) => !hasReference(side) && !looksNumeric(side))
      .map((side) =>
        warningAt(
          place.at,
          `${op} compares numbers, which '${side}' is not: the task will fail`,
          'write a number, or compare texts with EQUAL_TO or NOT_EQUAL',
        ),
      );
  }
  if (!looksNumeric(String(left)) || !looksNumeric(String(right))) return [];
  return [
    warningAt(
      place.at,
      `${op} compares '${left}' and '${right}' as texts, not as numbers: 12.0 is not 12`,
      'write both in the same way, or compare with GREATER_THAN_OR_EQUAL and LESS_THAN_OR_EQUAL',
    ),
  ];
}

function checkRetries({ node, key }: JobTask): Problem[] {
  const retries = nodeAt(node, 'max_retries');
  if (retries === undefined || Number(scalarAt(retries)) === 0) return [];
  const kinds = kindsOf(node);
  if (kinds.includes('for_each_task')) {
    const message = `max_retries of for-each task '${key}' has no effect: each iteration is retried by itself`;
    return [warningAt(retries.at, message, 'write it at the nested task')];
  }
  if (kinds.length === 1 && kinds[0] === 'condition_task') {
    return [warningAt(retries.at, `max_retries of condition task '${key}' has no effect`, 'take it out')];
  }
  return [];
}

/** What no worker takes has no use for them: a condition is the server's work, and a job has labels of its own. */
function checkLabels({ node, key }: JobTask): Problem[] {
  const labels = nodeAt(node, 'headrace', 'worker_labels');
  if (labels === undefined) return [];
  const kinds = kindsOf(node);
  if (kinds.includes('run_job_task')) {
    const message = `worker_labels of task '${key}' have no effect on the job that it runs`;
    return [warningAt(labels.at, message, 'write them there')];
  }
  if (kinds.length === 1 && kinds[0] === 'condition_task') {
    const message = `worker_labels of condition task '${key}' have no effect: no worker takes it`;
    return [warningAt(labels.at, message, 'take them out')];
  }
  return [];
}

/** A branch belongs to a condition; after other tasks `run_if` asks how they ended. */
function checkBranches({ node, forEach }: JobTask, tasks: readonly JobTask[]): Problem[] {
  if (forEach !== null) return [];
  return listAt(node, 'depends_on').flatMap((dependency) => {
    const outcome = nodeAt(dependency, 'outcome');
    if (outcome === undefined || !['true', 'false'].includes(String(scalarAt(outcome)))) return [];
    const parent = tasks.find(({ key }) => key !== null && key === textAt(dependency, 'task_key'));
    if (parent === undefined || nodeAt(parent.node, 'condition_task') !== undefined) return [];
    const message = `outcome '${scalarAt(outcome)}' is a branch of a condition task, which '${parent.key}' is not`;
    const cure = `leave it out and say with run_if how '${parent.key}' must have ended`;
    return [errorAt(outcome.at, message, cure)];
  });
}

/** Inputs written out are known now; those of a reference when the task runs. */
function checkInputs({ node }: JobTask): Problem[] {
  const inputs = nodeAt(node, 'for_each_task', 'inputs');
  if (inputs === undefined || inputs.kind === 'mapping') return [];
  const text = inputs.kind === 'list' ? JSON.stringify(toPlain(inputs)) : String(inputs.value);
  if (inputs.kind === 'scalar' && hasReference(text)) return [];
  const parsed = parseInputs(text);
  if (!('problem' in parsed)) return [];
  return [errorAt(inputs.at, parsed.problem, 'write a list, or a JSON array in quotes')];
}

const INPUT = /\{\{\s*input(?:\.[^{}]*)?\}\}/;

/** `{{input}}` outside of an iteration stays as it is written. */
function checkInputReferences({ node, forEach }: JobTask): Problem[] {
  return forEach === null ? findInputReferences(node) : [];
}

function findInputReferences(node: Node): Problem[] {
  if (node.kind === 'list') return node.entries.flatMap(findInputReferences);
  if (node.kind === 'mapping') {
    return [...node.entries].flatMap(([key, { value }]) => {
      if (key === 'description') return []; // Prose.
      // The task of a for-each is the place for it, its inputs are not.
      const searched = key === 'for_each_task' ? nodeAt(value, 'inputs') : value;
      return searched === undefined ? [] : findInputReferences(searched);
    });
  }
  const found = typeof node.value === 'string' ? INPUT.exec(node.value) : null;
  if (found === null) return [];
  const message = `${found[0]} means the input of an iteration and stays as written here`;
  return [warningAt(node.at, message, 'move it into the task of a for_each_task')];
}

/** A job started by a task takes the parameters that it declares; another name is most often a typing mistake. */
function checkChildParameters({ node }: JobTask, others: ReadonlyMap<string, MappingNode>): Problem[] {
  const [pending] = pendingResources(textAt(node, 'run_job_task', 'job_id') ?? '');
  const child = pending?.kind === 'jobs' ? others.get(pending.key) : undefined;
  if (pending === undefined || child === undefined) return [];
  const known = listAt(child, 'parameters').flatMap((parameter) => textAt(parameter, 'name') ?? []);
  return entriesAt(node, 'run_job_task', 'job_parameters')
    .filter(([name]) => !known.includes(name))
    .map(([name, { keyAt }]) => {
      const cure = suggest(name, known, 'declare it under parameters of that job');
      return warningAt(keyAt, `job ${pending.key} declares no parameter '${name}'`, cure);
    });
}
