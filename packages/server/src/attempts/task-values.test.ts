import { advance, newRun, type RunEvent, resolveReferences, toRunId } from '@headrace/core';
import { expect, test } from 'vitest';
import { toRunDefinition } from '../runs/run-definition.ts';
import type { RunFacts } from '../runs/run-facts.ts';
import { toReferenceScope } from './reference-scope.ts';
import { valuesForTasks } from './task-values.ts';

const rows = [
  { region: 'east', amount: 165 },
  { region: 'north', amount: null },
];
const urls = { publicUrl: 'http://here', workspaceId: '1' };

function endedWith(taskValues: Extract<RunEvent, { kind: 'attempt_ended' }>['taskValues']) {
  const sql_task = { query: { query_id: 'q' } };
  const settings = {
    name: 'j',
    tasks: [
      { task_key: 'report', sql_task },
      { task_key: 'use', sql_task, depends_on: [{ task_key: 'report' }] },
    ],
  };
  let id = 1;
  const context = { nowMs: 1, newId: () => id++ };
  const definition = toRunDefinition(settings);
  const made = newRun({ runId: toRunId(5), jobId: null, definition, place: 'admit', ...context });
  const { run: begun } = advance(made, [], context);
  const attemptId = begun.taskRuns.get('report')?.attemptId ?? assertNever();
  const { run } = advance(
    begun,
    [
      { kind: 'attempt_claimed', attemptId, epoch: 1, workerId: 'w' },
      { kind: 'attempt_ended', attemptId, epoch: 1, outcome: { kind: 'succeeded' }, taskValues },
    ],
    context,
  );
  return { run, settings };
}

function assertNever(): never {
  throw new Error('there is no such task run');
}

function resolve(text: string, { run, settings }: ReturnType<typeof endedWith>): string {
  const taskRun = run.taskRuns.get('use') ?? assertNever();
  // Only what the scope reads of them.
  const facts = { settings, runName: 'j', trigger: 'ONE_TIME', parameters: { job: [], overriding: {} } };
  return resolveReferences(
    text,
    toReferenceScope({ facts: facts as unknown as RunFacts, run, taskRun }, urls),
  );
}

test('references read the rows of a SQL task, which are none of its task values', () => {
  const ended = endedWith({ 'headrace:output.rows': rows, seen: 1 });

  expect(resolve('{{tasks.report.output.first_row.region}}', ended)).toBe('east');
  expect(resolve('{{tasks.report.output.rows}}', ended)).toBe(JSON.stringify(rows));
  expect(valuesForTasks(ended.run)).toEqual({ report: { seen: 1 } });
});

test('a task that hands on no rows has no output', () => {
  const reference = '{{tasks.report.output.first_row.region}}';

  expect(resolve(reference, endedWith({ seen: 1 }))).toBe(reference);
  expect(resolve(reference, endedWith({ 'headrace:output.rows': 'no list' }))).toBe(reference);
  expect(resolve(reference, endedWith({ 'headrace:output.rows': [] }))).toBe(reference);
});
