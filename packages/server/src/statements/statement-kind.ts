/** What kind a statement is, by its first word: for the query history, under the names that it has there. */
const kinds: Readonly<Record<string, string>> = {
  alter: 'ALTER',
  analyze: 'ANALYZE',
  copy: 'COPY',
  create: 'CREATE',
  delete: 'DELETE',
  desc: 'DESCRIBE',
  describe: 'DESCRIBE',
  drop: 'DROP',
  explain: 'EXPLAIN',
  from: 'SELECT',
  grant: 'GRANT',
  insert: 'INSERT',
  merge: 'MERGE',
  optimize: 'OPTIMIZE',
  refresh: 'REFRESH',
  replace: 'REPLACE',
  revoke: 'REVOKE',
  select: 'SELECT',
  set: 'SET',
  show: 'SHOW',
  table: 'SELECT',
  truncate: 'TRUNCATE',
  update: 'UPDATE',
  use: 'USE',
  values: 'SELECT',
  with: 'SELECT',
};

/** Comments are short, and so is what is looked at. */
const lookedAtMax = 10_000;

export function kindOf(statement: string): string {
  const start = statement.slice(0, lookedAtMax);
  const text = start.replaceAll(/--[^\n]*(\n|$)|\/\*[\s\S]*?\*\//g, ' ').replace(/^[\s(;]+/, '');
  const word = /^[a-z]+/i.exec(text)?.[0].toLowerCase() ?? '';
  return Object.hasOwn(kinds, word) ? (kinds[word] ?? 'OTHER') : 'OTHER';
}
