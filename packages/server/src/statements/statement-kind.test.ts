import { expect, test } from 'vitest';
import { kindOf } from './statement-kind.ts';

test.each([
  ['select 1', 'SELECT'],
  ['  (SELECT 1)', 'SELECT'],
  ['-- a note\n/* and\n another */ Insert into t values (1)', 'INSERT'],
  ['with a as (select 1) select * from a', 'SELECT'],
  ['desc t', 'DESCRIBE'],
  ['constructor', 'OTHER'],
  ['', 'OTHER'],
])('the kind of %j is %s', (statement, kind) => {
  expect(kindOf(statement)).toBe(kind);
});
