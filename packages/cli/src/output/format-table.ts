/** A table as aligned columns, two spaces between. */

export interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Said in place of a table without rows. */
  readonly empty: string;
}

/** A longer cell is cut: a table that wraps cannot be read. */
const cellCharsMax = 60;

export function formatTable(table: Table): string {
  if (table.rows.length === 0) return table.empty;
  const lines = [
    table.columns.map((name) => name.toUpperCase()),
    ...table.rows.map((row) => row.map(toCell)),
  ];
  const widths = table.columns.map((_, column) =>
    Math.max(...lines.map((line) => (line[column] ?? '').length)),
  );
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** Names and values as a block: `name  value`. */
export function formatFields(fields: readonly (readonly [name: string, value: string])[]): string {
  const width = Math.max(0, ...fields.map(([name]) => name.length));
  return fields.map(([name, value]) => `${name.padEnd(width)}  ${value}`.trimEnd()).join('\n');
}

function toCell(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ');
  return line.length > cellCharsMax ? `${line.slice(0, cellCharsMax - 1)}…` : line;
}
