/** Results for people and for programs: a table that fits its terminal, CSV, JSON. */
import type { SqlColumn, SqlResult } from './run-statement.ts';

export const sqlFormats = ['table', 'csv', 'json'] as const;
export type SqlFormat = (typeof sqlFormats)[number];

/** A column below this shows nothing that could be recognised. */
const columnCharsMin = 6;
const gap = '  ';
const numbers: ReadonlySet<string> = new Set(['BYTE', 'SHORT', 'INT', 'LONG', 'FLOAT', 'DOUBLE', 'DECIMAL']);

/** @param columnsMax of the terminal; without one nothing is cut. */
export function formatResult(result: SqlResult, format: SqlFormat, columnsMax?: number): string {
  switch (format) {
    case 'csv':
      return formatCsv(result);
    case 'json':
      return JSON.stringify(toObjects(result), null, 2);
    case 'table':
      return formatTable(result, columnsMax ?? Number.POSITIVE_INFINITY);
  }
}

function formatTable({ columns, rows }: SqlResult, charsMax: number): string {
  const cells = [columns.map(({ name }) => toCell(name)), ...rows.map((row) => row.map(toCell))];
  const natural = columns.map((_, at) => Math.max(1, ...cells.map((row) => lengthOf(row[at] ?? ''))));
  const widths = fitWidths(natural, charsMax - gap.length * (columns.length - 1));
  if (widths === null) return formatRecords(columns, cells.slice(1), charsMax);
  const isNumber = columns.map(({ typeName }) => numbers.has(typeName));
  const lines = cells.map((row) =>
    widths
      .map((width, at) => pad(cut(row[at] ?? '', width), width, isNumber[at] === true))
      .join(gap)
      .trimEnd(),
  );
  const [header = '', ...body] = lines;
  return [header, widths.map((width) => '─'.repeat(width)).join(gap), ...body].join('\n');
}

/** The widest give way first. Null where even narrow columns do not fit beside each other. */
function fitWidths(natural: readonly number[], charsMax: number): number[] | null {
  const widths = [...natural];
  let excess = widths.reduce((sum, width) => sum + width, 0) - charsMax;
  while (excess > 0) {
    const widest = Math.max(...widths);
    if (widest <= columnCharsMin) return null;
    const next = Math.max(columnCharsMin, ...widths.filter((width) => width < widest));
    const at = widths.flatMap((width, index) => (width === widest ? [index] : []));
    const each = Math.min(widest - next || 1, Math.ceil(excess / at.length));
    for (const index of at) {
      const taken = Math.min(each, excess);
      widths[index] = widest - taken;
      excess -= taken;
    }
  }
  return widths;
}

/** One column under the other, record by record. */
function formatRecords(columns: readonly SqlColumn[], rows: readonly string[][], charsMax: number): string {
  const nameWidth = Math.max(0, ...columns.map(({ name }) => lengthOf(name)));
  return rows
    .map((row, index) =>
      [
        `─ row ${index + 1} ─`,
        ...columns.map(({ name }, at) => cut(`${pad(name, nameWidth, false)}  ${row[at] ?? ''}`, charsMax)),
      ].join('\n'),
    )
    .join('\n');
}

function formatCsv({ columns, rows }: SqlResult): string {
  const lines = [columns.map(({ name }) => name), ...rows.map((row) => row.map((value) => value ?? ''))];
  return lines.map((line) => line.map(quote).join(',')).join('\r\n');
}

/** As RFC 4180 has it. An empty text cannot be told from a missing one. */
function quote(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Values as the API gives them: texts, or null. Of columns with one name the later get a number. */
function toObjects({ columns, rows }: SqlResult): Record<string, string | null>[] {
  const names: string[] = [];
  for (const { name } of columns) {
    let unique = name;
    for (let number = 2; names.includes(unique); number++) unique = `${name}_${number}`;
    names.push(unique);
  }
  return rows.map((row) => Object.fromEntries(names.map((name, at) => [name, row[at] ?? null])));
}

function toCell(value: string | null): string {
  // Other control characters could move the cursor.
  return value === null ? 'NULL' : value.replaceAll(/[\r\n\t]+/g, ' ').replaceAll(/\p{Cc}/gu, '�');
}

function lengthOf(text: string): number {
  return [...text].length;
}

function cut(text: string, charsMax: number): string {
  return lengthOf(text) <= charsMax ? text : `${[...text].slice(0, charsMax - 1).join('')}…`;
}

function pad(text: string, width: number, isRight: boolean): string {
  const space = ' '.repeat(Math.max(0, width - lengthOf(text)));
  return isRight ? space + text : text + space;
}
