/** What a SQL task ran and what came of it, from the document that it shows on its page. */
import {
  alertStateNames,
  type NotebookCell,
  type NotebookDocument,
  type RunOutput,
  type SqlTask,
  type SqlWorkOutput,
} from '@headrace/api';

export function toSqlOutput(
  { file, alert, warehouse_id: warehouseId }: SqlTask,
  { attempt_id: attemptId, exit_value: exitValue }: { attempt_id: number; exit_value: string | null },
  document: NotebookDocument | null,
): Pick<RunOutput, 'sql_output'> {
  const cells = document?.cells ?? [];
  const tables = cells.flatMap(tablesOf);
  const table = tables.at(-1);
  const output: SqlWorkOutput = {
    query_text: cells.map(({ source }) => source).join(';\n'),
    ...(warehouseId === undefined ? {} : { warehouse_id: warehouseId }),
    // Opaque to clients, and one for each statement that has begun.
    sql_statements: cells
      .map((cell, index) => ({ cell, lookup_key: `${attemptId}-${index}` }))
      .filter(({ cell }) => cell.state !== 'waiting' && cell.state !== 'skipped')
      .map(({ lookup_key }) => ({ lookup_key })),
    ...(table ? { query_result: toQueryResult(table) } : {}),
  };
  if (file) return { sql_output: { file_output: output } };
  if (!alert) return { sql_output: { query_output: output } };
  // The task that evaluates an alert leaves its state so; clients know no state for one that could not be evaluated.
  const alert_state = alertStateNames.find((name) => name === exitValue) ?? 'UNKNOWN';
  return { sql_output: { alert_output: { ...output, alert_state } } };
}

type Table = Extract<NotebookCell['outputs'][number], { kind: 'table' }>;

function tablesOf({ outputs }: NotebookCell): Table[] {
  return outputs.filter((output) => output.kind === 'table');
}

function toQueryResult({ columns, rows, truncated }: Table): NonNullable<SqlWorkOutput['query_result']> {
  return {
    columns: columns.map(({ name }) => ({ name })),
    rows: rows.map((cells) => ({ values: cells.map(toValue) })),
    truncated,
  };
}

function toValue(cell: Table['rows'][number][number]): { string_value?: string } {
  if (cell === null || cell === undefined) return {};
  return { string_value: typeof cell === 'string' ? cell : JSON.stringify(cell) };
}
