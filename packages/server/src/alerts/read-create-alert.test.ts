import { expect, test } from 'vitest';
import { readCreateAlert, toDescribeQuery } from './read-create-alert.ts';

test('name, schedule and query are read, whatever stands between the words', () => {
  const statement = `-- why\ncreate /* now */ ALERT \`a\`\`b c\`\nON SCHEDULE '0 9 * * 1' AS\n-- first\nselect 1 as n;\n ;`;

  expect(readCreateAlert(statement)).toEqual({
    kind: 'alert',
    alert: { name: 'a`b c', schedule: '0 0 9 ? * 2', query: '-- first\nselect 1 as n' },
  });
});

test.each([
  'select 1',
  'create table alert (a int)',
  'create alerts x',
  "select 'create alert x on schedule'",
])('another statement is none: %s', (statement) => {
  expect(readCreateAlert(statement)).toEqual({ kind: 'other' });
});

test.each([
  ['create alert x', 'CREATE ALERT name ON SCHEDULE'],
  ["create alert x on schedule '0 9 * * *' as ;", 'CREATE ALERT name ON SCHEDULE'],
  [
    "create alert x on schedule '61 * * * *' as select 1",
    "ON SCHEDULE '61 * * * *': the field for the minutes",
  ],
])('what is wrong is named: %s', (statement, message) => {
  const read = readCreateAlert(statement);
  expect(read.kind === 'problem' ? read.message : read).toContain(message);
});

test('the analyzer gets the query at its own place', () => {
  const statement = "CREATE ALERT x\nON SCHEDULE '0 9 * * *'\nAS SELECT nope";

  const described = toDescribeQuery(statement);

  expect(described).toBe(`DESC   QUERY  \n${' '.repeat(23)}\n   SELECT nope`);
  expect(described.indexOf('nope')).toBe(statement.indexOf('nope'));
});

test('a text that is made to be read in many ways is read at once', () => {
  expect(readCreateAlert(`${'/**/'.repeat(2_000)}x`)).toEqual({ kind: 'other' });
});
