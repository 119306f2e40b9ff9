import { describe, expect, test } from 'vitest';
import { findReferenceProblems, type ReferenceScope, resolveReferences } from './references.ts';

const startTimeMs = 1_767_330_245_678; // 2026-01-02T05:04:05.678Z, a Friday
const scope: ReferenceScope = {
  job: {
    id: 11,
    name: 'daily',
    runId: 22,
    repairCount: 0,
    startTimeMs,
    parameters: { run_date: '2026-01-01', a$b: 'odd' },
    trigger: { type: 'one_time', timeMs: startTimeMs },
  },
  task: { name: 'load', runId: 33, executionCount: 2, retryCount: 1, notebookPath: '/n' },
  tasks: new Map([
    [
      'silver',
      {
        runId: 44,
        resultState: 'success',
        executionCount: 1,
        errorCode: null,
        values: { rows: 3, by: { a: [1] } },
      },
    ],
  ]),
  workspace: { id: '1', url: 'http://here' },
};

describe('references', () => {
  test.each([
    ['{{job.id}}/{{job.run_id}}/{{task.run_id}}', '11/22/33'],
    ['{{job.parameters.run_date}}', '2026-01-01'],
    ['{{job.parameters.`a$b`}}', 'odd'],
    ['{{job.start_time.iso_date}} {{job.start_time}}', '2026-01-02 2026-01-02T05:04:05.678Z'],
    ['{{job.trigger.time.iso_weekday}}{{job.trigger.time.is_weekday}}', '5true'],
    ['{{tasks.silver.values.rows}} {{tasks.silver.values.by}}', '3 {"a":[1]}'],
    ['{{tasks.silver.result_state}}', 'success'],
    [
      '{{ start_date }} {{start_time}} {{parent_run_id}} {{task_retry_count}}',
      `2026-01-02 ${startTimeMs} 22 1`,
    ],
  ])('%s gives %s', (text, expected) => {
    expect(resolveReferences(text, scope)).toBe(expected);
  });

  test.each([
    '{{unknown}}',
    '{{a.b}}',
    '{{job.parameters.absent}}',
    '{{job.id',
    '{job.id}',
    '{{tasks.silver.values.toString}}',
    '{{1 + 1}}',
  ])('%s stays as it is written', (text) => {
    expect(resolveReferences(text, scope)).toBe(text);
  });

  test('a wrong member of a known namespace is named, an unknown name is not', () => {
    expect(findReferenceProblems('{{job.naem}} {{foo}} {{job.start_time.iso_dat}} {{task.name}}')).toEqual([
      expect.stringContaining('{{job.naem}}'),
      expect.stringContaining('{{job.start_time.iso_dat}}'),
    ]);
  });
});
