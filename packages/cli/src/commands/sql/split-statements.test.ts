import { expect, test } from 'vitest';
import { splitAll, splitStatements } from './split-statements.ts';

const textsOf = (text: string) => splitStatements(text).statements.map((statement) => statement.text);

test.each<[string, string[], string]>([
  ['select 1; select 2', ['select 1'], 'select 2'],
  ['select \';\' as `a;b`; select ";";', ["select ';' as `a;b`", 'select ";"'], ''],
  [String.raw`select 'it\'s;'; select r'\';`, [String.raw`select 'it\'s;'`, String.raw`select r'\'`], ''],
  ['select 1 -- a; b\n + 1;', ['select 1 -- a; b\n + 1'], ''],
  ['/* a /* b; */ c; */ select 1;', ['/* a /* b; */ c; */ select 1'], ''],
  ['; -- nothing\n ;', [], ''],
  ["select 'open; ", [], "select 'open;"],
  ['select 1 /* open; ', [], 'select 1 /* open;'],
  [
    'select if(a, 1, 2); select case when a then 1 end;',
    ['select if(a, 1, 2)', 'select case when a then 1 end'],
    '',
  ],
  ['begin transaction; select 1;', ['begin transaction', 'select 1'], ''],
])('%j is cut where code has a semicolon', (text, statements, rest) => {
  expect(textsOf(text)).toEqual(statements);
  expect(splitStatements(text).rest).toBe(rest);
});

test('a script is one statement, whatever it holds', () => {
  const script = `-- why
BEGIN
  DECLARE x INT DEFAULT 1;
  IF x = 1 THEN SET x = if(true, 2, 3); ELSE BEGIN SELECT 1; END; END IF;
  w: WHILE x < 9 DO SET x = CASE WHEN x > 1 THEN x + 1 ELSE 2 END; END WHILE w;
  FOR r AS SELECT 1 AS a DO SELECT r.a; END FOR;
  REPEAT SET x = x + 1; UNTIL x > 20 END REPEAT;
END`;

  expect(textsOf(`${script};\nlabel: BEGIN SELECT 1; END label; select 2;`)).toEqual([
    script,
    'label: BEGIN SELECT 1; END label',
    'select 2',
  ]);
  expect(splitStatements('BEGIN SELECT 1;').rest).toBe('BEGIN SELECT 1;');
});

test('each statement knows its line', () => {
  expect(splitAll('select 1;\n\nselect\n2;\n -- last\nselect 3').map(({ line }) => line)).toEqual([1, 3, 5]);
});
