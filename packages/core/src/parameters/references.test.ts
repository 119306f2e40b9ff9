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
        output: { rows: [{ n: 5, 'a b': 'x' }, { n: 6 }], alertState: 'OK' },
      },
    ],
    ['bad', { runId: 45, resultState: null, executionCount: 3, errorCode: 'DRIVER_ERROR', values: {} }],
  ]),
  workspace: { id: '1', url: 'http://here' },
};
const iterationScope: ReferenceScope = {
  ...scope,
  input: { table: 'orders', day: 3, keys: ['a', 'b'], nested: { deep: true }, none: null },
};
const timeArguments = [
  ['iso_datetime', '2026-01-02T05:04:05.678Z'],
  ['iso_date', '2026-01-02'],
  ['iso_weekday', '5'],
  ['is_weekday', 'true'],
  ['year', '2026'],
  ['month', '1'],
  ['day', '2'],
  ['hour', '5'],
  ['minute', '4'],
  ['second', '5'],
  ['timestamp_ms', String(startTimeMs)],
] as const;

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

  test.each([
    ['{{job.name}}', 'daily'],
    ['{{job.repair_count}}', '0'],
    ['{{job.trigger.type}}', 'one_time'],
    ['{{job.trigger.time}}', '2026-01-02T05:04:05.678Z'],
    ['{{task.name}} {{task.execution_count}} {{task.notebook_path}}', 'load 2 /n'],
    ['{{tasks.silver.run_id}} {{tasks.silver.execution_count}}', '44 1'],
    ['{{tasks.bad.error_code}}', 'DRIVER_ERROR'],
    ['{{tasks.silver.output.first_row.n}} {{tasks.silver.output.first_row.`a b`}}', '5 x'],
    ['{{tasks.silver.output.rows}}', '[{"n":5,"a b":"x"},{"n":6}]'],
    ['{{tasks.silver.output.alert_state}}', 'OK'],
    ['{{workspace.id}} {{workspace.url}}', '1 http://here'],
    ['{{job_id}} {{run_id}} {{start_date}} {{start_time}}', `11 33 2026-01-02 ${startTimeMs}`],
    ['{{task_retry_count}} {{parent_run_id}} {{task_key}}', '1 22 load'],
    ['{{ job_id }}{{  run_id  }}', '1133'],
    ['{{{job.id}}}', '{11}'],
    ['{{ {{job.id}} }}', '{{ 11 }}'],
  ])('every name has its value: %s', (text, expected) => {
    expect(resolveReferences(text, scope)).toBe(expected);
    expect(findReferenceProblems(text)).toEqual([]);
  });

  test.each(timeArguments)('a time argument %s gives %s', (argument, expected) => {
    const backfilled = { ...scope, backfill: { timeMs: startTimeMs } };

    for (const time of ['job.start_time', 'job.trigger.time', 'backfill']) {
      const text = `{{${time}.${argument}}}`;
      expect(resolveReferences(text, backfilled)).toBe(expected);
      expect(findReferenceProblems(text)).toEqual([]);
    }
  });

  test.each([
    ['{{input}}', '{"table":"orders","day":3,"keys":["a","b"],"nested":{"deep":true},"none":null}'],
    ['{{input.table}}/{{input.day}}/{{input.none}}', 'orders/3/null'],
    ['{{input.nested}} {{input.nested.deep}} {{input.keys.1}}', '{"deep":true} true b'],
    [
      '{{input.absent}} {{input.keys.length}} {{input.table.x}}',
      '{{input.absent}} {{input.keys.length}} {{input.table.x}}',
    ],
  ])('an iteration has its input: %s', (text, expected) => {
    expect(resolveReferences(text, iterationScope)).toBe(expected);
    expect(findReferenceProblems(text)).toEqual([]);
  });

  test('a text as input stays plain', () => {
    expect(resolveReferences('<{{input}}>', { ...scope, input: 'a "b"' })).toBe('<a "b">');
  });

  test('a run has the facts of its trigger', () => {
    const text = '{{job.trigger.file_arrival.location}} {{job.trigger.table_update.updated_tables}}';
    const trigger = {
      type: 'file_arrival',
      timeMs: startTimeMs,
      fileArrival: { location: '/Volumes/in' },
      tableUpdate: { updatedTables: ['main.s.t'] },
    };

    expect(resolveReferences(text, { ...scope, job: { ...scope.job, trigger } })).toBe(
      '/Volumes/in ["main.s.t"]',
    );
    expect(findReferenceProblems(text)).toEqual([]);
  });

  test.each([
    '{{input}}',
    '{{input.field}}',
    '{{backfill.iso_date}}',
    '{{job.trigger.file_arrival.location}}',
    '{{job.trigger.table_update.updated_tables}}',
    '{{tasks.bad.output.rows}}',
    '{{tasks.bad.result_state}}',
    '{{tasks.absent.run_id}}',
    '{{job}} {{tasks}} {{backfill}}',
    '{{secrets/scope/key}}',
    '{{ds | upper}}',
  ])('%s stays where this run has no such fact', (text) => {
    expect(resolveReferences(text, scope)).toBe(text);
    expect(findReferenceProblems(text)).toEqual([]);
  });

  test.each([
    '{{job.naem}}',
    '{{job.id.more}}',
    '{{job.parameters}}',
    '{{job.parameters.a.b}}',
    '{{job.start_time.iso_dat}}',
    '{{job.start_time.toString}}',
    '{{job.trigger.tiem}}',
    '{{job.trigger.time.years}}',
    '{{job.trigger.type.name}}',
    '{{job.trigger.file_arrival.path}}',
    '{{job.trigger.table_update}}',
    '{{task.nope}}',
    '{{task.values.x}}',
    '{{tasks.x}}',
    '{{tasks.x.valeus.y}}',
    '{{tasks.x.values}}',
    '{{tasks.x.output.first_row}}',
    '{{tasks.x.output.row}}',
    '{{tasks.x.result_state.y}}',
    '{{workspace.nope}}',
    '{{backfill.nope}}',
  ])('%s is a problem and stays as it is written', (text) => {
    expect(findReferenceProblems(`a ${text} b`)).toEqual([expect.stringContaining(`'${text}'`)]);
    expect(resolveReferences(text, { ...iterationScope, backfill: { timeMs: 0 } })).toBe(text);
  });

  test('a problem names what would be right', () => {
    expect(findReferenceProblems('{{workspace.nope}}')).toEqual([
      "'{{workspace.nope}}' is not a known reference: after 'workspace' comes id or url",
    ]);
  });

  test('a wrong member of a known namespace is named, an unknown name is not', () => {
    expect(findReferenceProblems('{{job.naem}} {{foo}} {{job.start_time.iso_dat}} {{task.name}}')).toEqual([
      expect.stringContaining('{{job.naem}}'),
      expect.stringContaining('{{job.start_time.iso_dat}}'),
    ]);
  });
});
