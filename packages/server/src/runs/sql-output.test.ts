import type { NotebookCell } from '@headrace/api';
import { expect, test } from 'vitest';
import { toSqlOutput } from './sql-output.ts';

function aCell(source: string, fields: Partial<NotebookCell> = {}): NotebookCell {
  return { language: 'sql', source, state: 'succeeded', elapsed_ms: 1, outputs: [], ...fields };
}

function aTable(...rows: (string | number | boolean | null)[][]) {
  return {
    kind: 'table' as const,
    columns: [{ name: 'a', type: 'string' }],
    rows,
    truncated: true,
  };
}

test('the last result is shown, as texts, whatever follows it', () => {
  const cells = [
    aCell('select 1', { outputs: [aTable(['no'])] }),
    aCell('select 2', { outputs: [aTable(['x'], [5], [true], [null])] }),
    aCell('use b'),
    aCell('select 3', { state: 'skipped' }),
  ];

  const { sql_output: output } = toSqlOutput(
    { file: { path: '/q.sql' }, warehouse_id: 'w' },
    { attempt_id: 7, exit_value: null },
    {
      version: 1,
      path: '/q.sql',
      cells,
    },
  );

  expect(output).toEqual({
    file_output: {
      query_text: 'select 1;\nselect 2;\nuse b;\nselect 3',
      warehouse_id: 'w',
      sql_statements: [{ lookup_key: '7-0' }, { lookup_key: '7-1' }, { lookup_key: '7-2' }],
      query_result: {
        columns: [{ name: 'a' }],
        rows: [
          { values: [{ string_value: 'x' }] },
          { values: [{ string_value: '5' }] },
          { values: [{ string_value: 'true' }] },
          { values: [{}] },
        ],
        truncated: true,
      },
    },
  });
});

test('a task that has not begun has no statements yet', () => {
  expect(toSqlOutput({ query: { query_id: 'q' } }, { attempt_id: 7, exit_value: null }, null)).toEqual({
    sql_output: { query_output: { query_text: '', sql_statements: [] } },
  });
});
