import { describe, expect, test } from 'vitest';
import { findScheduleProblems } from './validate-schedule.ts';

const problemsOf = (quartz_cron_expression: string, timezone_id = 'UTC') =>
  findScheduleProblems({ quartz_cron_expression, timezone_id });

describe('a schedule', () => {
  test.each([
    '0 */15 * * * ?',
    '0 0 2 * * ?',
    '0 0 9-17 ? * MON-FRI',
    '0 0 3 ? * sun',
    '0 0 0 1 * ?',
    '0 0 12 L * ? 2026',
    '0 0 12 LW JAN,jul ? 2026-2030/2',
    '0 0 12 15W * ?',
    '0 0 12 ? * 6L',
    '0 0 12 ? * FRI#2',
    ' 0/5  10,44 22-2 ? 3 WED ',
  ])('%j is taken', (expression) => {
    expect(problemsOf(expression)).toEqual([]);
  });

  test.each([
    ['0 2 * * *', 'has 5 fields, a Quartz expression has 6 or 7; a five-field expression lacks'],
    ['', 'has 1 fields'],
    ['0 0 0 0 0 0 0 0', 'has 8 fields'],
    ['60 0 2 * * ?', 'the field for the seconds cannot be read'],
    ['0 60 2 * * ?', 'the field for the minutes cannot be read'],
    ['0 0 24 * * ?', 'the field for the hours cannot be read'],
    ['0 0 2 0 * ?', 'the field for the day of month cannot be read'],
    ['0 0 2 * FOO ?', 'the field for the month cannot be read'],
    ['0 0 2 ? * 8', 'the field for the day of week cannot be read'],
    ['0 0 2 ? * MON 1969', 'the field for the year cannot be read'],
    ['0 */0 2 * * ?', 'the field for the minutes cannot be read'],
    ['0 1,,2 2 * * ?', 'the field for the minutes cannot be read'],
    ['0 ? 2 * * ?', 'the field for the minutes cannot be read'],
    ['0 0 2 * * *', 'exactly one of day of month and day of week must be ?'],
    ['0 0 2 ? * ?', 'exactly one of day of month and day of week must be ?'],
  ])('%j is refused', (expression, reason) => {
    expect(problemsOf(expression)).toEqual([expect.stringContaining(reason)]);
  });

  test('its time zone must exist', () => {
    expect(problemsOf('0 0 2 * * ?', 'America/Los_Angeles')).toEqual([]);
    expect(problemsOf('0 0 2 * * ?', 'Mars/Olympus')).toEqual([
      expect.stringContaining('schedule.timezone_id'),
    ]);
  });
});
