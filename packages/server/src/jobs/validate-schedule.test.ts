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
    ['0 2 * * *', "perhaps '0 0 2 * * ?'"],
    ['', 'it has 0 fields'],
    ['60 0 2 * * ?', 'the field for the seconds cannot be read'],
    ['0 0 2 * * *', 'exactly one of day of month and day of week must be ?'],
    ['0 0 0 31 2 ?', 'never fires'],
    ['0 0 0 30 FEB ? 2026-2040', 'never fires'],
  ])('%j is refused', (expression, reason) => {
    expect(problemsOf(expression)).toEqual([expect.stringContaining(reason)]);
  });

  test('that has ended can still be saved', () => {
    expect(problemsOf('0 0 2 1 1 ? 2020')).toEqual([]);
  });

  test('its time zone must exist', () => {
    expect(problemsOf('0 0 2 * * ?', 'America/Los_Angeles')).toEqual([]);
    expect(problemsOf('0 0 2 * * ?', 'Mars/Olympus')).toEqual([
      expect.stringContaining('schedule.timezone_id'),
    ]);
  });
});
