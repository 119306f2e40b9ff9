import { describe, expect, test } from 'vitest';
import { type CronExpression, parseCron } from './parse-cron.ts';

function read(expression: string): CronExpression {
  const cron = parseCron(expression);
  if (typeof cron === 'string') throw new Error(cron);
  return cron;
}

describe('a field', () => {
  test.each<[string, readonly number[]]>([
    ['5', [5]],
    ['5,1,5', [1, 5]],
    ['8-11', [8, 9, 10, 11]],
    ['11-2', [1, 2, 11, 12]],
    ['*/5', [1, 6, 11]],
    ['/5', [1, 6, 11]],
    ['3/4', [3, 7, 11]],
    ['2-9/3', [2, 5, 8]],
    ['11-3/2', [1, 3, 11]],
    ['JAN,jul', [1, 7]],
    ['NOV-FEB', [1, 2, 11, 12]],
    ['september', [9]],
  ])('%s means %j', (text, months) => {
    expect(read(`0 0 0 1 ${text} ?`).months).toEqual(months);
  });

  test('1 is Sunday', () => {
    expect(read('0 0 0 ? * 1').days).toEqual(read('0 0 0 ? * SUN').days);
    expect(read('0 0 0 ? * L').days).toEqual(read('0 0 0 ? * SAT').days);
  });

  test('a step behind names does nothing, and this is said', () => {
    const { days, warnings } = read('0 0 0 ? * MON-FRI/2');

    expect(days).toEqual(read('0 0 0 ? * MON-FRI').days);
    expect(warnings).toEqual(["Quartz ignores the step behind names in 'MON-FRI/2': write 2-6/2."]);
  });
});

describe('days', () => {
  test.each<[string, string, CronExpression['days']]>([
    ['L', '?', { kind: 'last_day', offset: 0, isNearestWeekday: false }],
    ['LW', '?', { kind: 'last_day', offset: 0, isNearestWeekday: true }],
    ['L-3', '?', { kind: 'last_day', offset: 3, isNearestWeekday: false }],
    ['L-3W', '?', { kind: 'last_day', offset: 3, isNearestWeekday: true }],
    ['15W', '?', { kind: 'nearest_weekday', day: 15 }],
    ['20W,15W', '?', { kind: 'nearest_weekday', day: 15 }],
    ['?', '6L', { kind: 'last_weekday', weekday: 6 }],
    ['?', 'FRIL', { kind: 'last_weekday', weekday: 6 }],
    ['?', '6#3', { kind: 'nth_weekday', weekday: 6, nth: 3 }],
    ['?', 'FRI#3', { kind: 'nth_weekday', weekday: 6, nth: 3 }],
  ])('%s and %s are read', (dayOfMonth, dayOfWeek, days) => {
    expect(read(`0 0 0 ${dayOfMonth} * ${dayOfWeek}`).days).toEqual(days);
  });
});

describe('is refused with the reason:', () => {
  test.each([
    ['', 'it has 0 fields'],
    ['0 2 * * *', "perhaps '0 0 2 * * ?'"],
    ['30 6 * * 1-5', "perhaps '0 30 6 ? * 1-5', where 1 is Sunday"],
    ['0 0 0 0 0 0 0 0', 'it has 8 fields'],
    ['60 0 2 * * ?', "the field for the seconds cannot be read: '60' is not within 0–59"],
    ['0 60 2 * * ?', 'the field for the minutes'],
    ['0 0 24 * * ?', 'the field for the hours'],
    ['0 0 2 0 * ?', 'the field for the day of month'],
    ['0 0 2 32W * ?', 'the field for the day of month'],
    ['0 0 2 L-31 * ?', 'more than 30 days before the end'],
    ['0 0 2 1,L * ?', 'L, LW and L-3 stand alone'],
    ['0 0 2 1-5W * ?', 'W stands behind one day'],
    ['0 0 2 * FOO ?', 'they are JAN, FEB'],
    ['0 0 2 ? * 8', "'8' is not within 1–7"],
    ['0 0 2 ? * 0', "'0' is not within 1–7"],
    ['0 0 2 ? * TEU', '(TUE?)'],
    ['0 0 2 ? * WEN', '(WED?)'],
    ['0 0 2 ? * THRU', '(THU?)'],
    ['0 0 2 ? * SUNDY', '(SUN?)'],
    ['0 0 2 ? * MO', '(MON?)'],
    ['0 0 2 ? * FRY', '(FRI?)'],
    ['0 0 2 ? * MON-6', 'mixes a name and a number'],
    ['0 0 2 ? * MON#6', 'a number from 1 to 5'],
    ['0 0 2 ? * MON#1,TUE#2', 'one weekday may have #'],
    ['0 0 2 ? * MON-FRI#2', 'one weekday may have #'],
    ['0 0 2 ? * 2-6L', 'L stands behind one weekday'],
    ['0 0 2 ? * MON 1969', 'the field for the year'],
    ['0 0 2 ? * MON 2030-2028', 'ends before it begins'],
    ['0 */0 2 * * ?', 'a number above 0'],
    ['0 */60 2 * * ?', 'larger than 59'],
    ['0 1,,2 2 * * ?', 'the field for the minutes'],
    ['0 1-2-3 2 * * ?', 'more than two ends'],
    ['0 1/2/3 2 * * ?', 'more than one step'],
    ['0 5X 2 * * ?', 'the field for the minutes'],
    ['0 ? 2 * * ?', 'the field for the minutes'],
    ['0 0 2 * * *', 'exactly one of day of month and day of week must be ?'],
    ['0 0 2 ? * ?', 'exactly one of day of month and day of week must be ?'],
    [`0 0 2 ${'1,'.repeat(600)}1 * ?`, 'at most 1000 characters'],
  ])('%j', (expression, reason) => {
    expect(parseCron(expression)).toEqual(expect.stringContaining(reason));
  });
});
