import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { nextFireAfter } from '../trigger/next-fire.ts';
import { parseCron } from '../trigger/parse-cron.ts';
import { ZoneOffsets } from '../trigger/zone-offsets.ts';
import {
  expectByHabit,
  expectBySchedule,
  habitWindows,
  preparedLeadMs,
  preparedLingerMs,
} from './expect-start.ts';

const minuteMs = 60_000;
const dayMs = 86_400_000;

function read(expression: string, zoneName = 'UTC') {
  const cron = parseCron(expression);
  const zone = ZoneOffsets.of(zoneName);
  if (typeof cron === 'string' || zone === null) throw new Error(`${cron} ${zoneName}`);
  return { cron, zone };
}

describe('by its schedule', () => {
  const at = (moment: string, expression: string, zoneName?: string) => {
    const { cron, zone } = read(expression, zoneName);
    return expectBySchedule(cron, zone, Date.parse(moment))?.fromMs ?? null;
  };

  test('a job is expected from two minutes before it fires until three minutes after', () => {
    const fire = Date.parse('2026-05-04T02:00:00Z');
    const told = ['01:57:59', '01:58:00', '02:00:00', '02:03:00', '02:03:01'].map((time) =>
      at(`2026-05-04T${time}Z`, '0 0 2 * * ?'),
    );

    expect(told).toEqual([null, fire, fire, fire, null]);
  });

  test('the time is that of its zone', () => {
    expect(at('2026-05-04T00:00:00Z', '0 0 2 * * ?', 'Europe/Berlin')).toBe(
      Date.parse('2026-05-04T00:00:00Z'),
    );
    expect(at('2026-05-04T02:00:00Z', '0 0 2 * * ?', 'Europe/Berlin')).toBeNull();
  });

  test('whatever is expected, it fires then, and a host for it should wait now', () => {
    const expressions = [
      '0 0 2 * * ?',
      '0 * * * * ?',
      '*/20 * * * * ?',
      '0 0/7 * * * ?',
      '0 30 6 ? * MON-FRI',
    ];
    fc.assert(
      fc.property(
        fc.constantFrom(...expressions),
        fc.constantFrom('UTC', 'Europe/Berlin'),
        fc.integer({ min: Date.parse('2026-01-01'), max: Date.parse('2027-01-01') }),
        (expression, zoneName, nowMs) => {
          const { cron, zone } = read(expression, zoneName);
          const expected = expectBySchedule(cron, zone, nowMs);
          if (expected === null) {
            const fire = nextFireAfter(cron, zone, nowMs - preparedLingerMs - 1);
            return fire === null || fire > nowMs + preparedLeadMs;
          }
          const { fromMs } = expected;
          return (
            nextFireAfter(cron, zone, fromMs - 1) === fromMs &&
            fromMs - preparedLeadMs <= nowMs &&
            nowMs <= fromMs + preparedLingerMs
          );
        },
      ),
    );
  });
});

describe('by habit', () => {
  /** A Monday. */
  const todayMs = Date.parse('2026-05-04T06:30:00Z');
  const daysAgo = (...days: readonly number[]) => days.map((day) => todayMs - day * dayMs);
  const expected = (startsMs: readonly number[], ageDays = 30, nowMs = todayMs) =>
    expectByHabit({ startsMs, jobCreatedAtMs: nowMs - ageDays * dayMs }, nowMs);

  test('a job is expected where it was started on three of the last seven days, a week ago among them', () => {
    expect(expected(daysAgo(7, 3, 4))).toMatchObject({ origin: 'habit', fromMs: todayMs });
    expect(expected(daysAgo(7, 3))).toBeNull();
    expect(expected(daysAgo(6, 5, 4, 3, 2, 1))).toBeNull();
  });

  test('one that runs from Monday to Friday is expected on Monday, not on Saturday', () => {
    const workdays = [1, 2, 3, 4, 5, 6, 7].filter(
      (day) => ![0, 6].includes(weekdayOf(todayMs - day * dayMs)),
    );
    const saturdayMs = todayMs + 5 * dayMs;
    const before = [1, 2, 3, 4, 5, 8].map((day) => saturdayMs - day * dayMs);

    expect(expected(daysAgo(...workdays))).not.toBeNull();
    expect(weekdayOf(saturdayMs)).toBe(6);
    expect(expected(before, 30, saturdayMs)).toBeNull();
  });

  test('of one that is no week old three days count, yesterday among them', () => {
    expect(expected(daysAgo(1, 2, 3), 4)).toMatchObject({ fromMs: todayMs });
    expect(expected(daysAgo(2, 3, 4), 5)).toBeNull();
  });

  test('about the same minute is five minutes more or less, and the earliest counts', () => {
    const starts = [
      todayMs - 7 * dayMs,
      todayMs - 3 * dayMs - 4 * minuteMs,
      todayMs - 2 * dayMs + 5 * minuteMs,
    ];

    expect(expected(starts)).toMatchObject({
      fromMs: todayMs - 4 * minuteMs,
      untilMs: todayMs + 5 * minuteMs,
      metFromMs: todayMs - 9 * minuteMs,
    });
    expect(expected([...starts.slice(0, 2), todayMs - 2 * dayMs + 6 * minuteMs])).toBeNull();
  });

  test('starts that are outside the windows that are read change nothing', () => {
    const moments = fc.array(
      fc.record({ day: fc.integer({ min: 1, max: 7 }), offsetMs: fc.integer({ min: -40, max: 40 }) }),
      { maxLength: 30 },
    );
    fc.assert(
      fc.property(moments, fc.boolean(), (given, isYoung) => {
        const startsMs = given.map(({ day, offsetMs }) => todayMs - day * dayMs + offsetMs * minuteMs);
        const windows = habitWindows(todayMs, 0);
        const read = startsMs.filter((start) =>
          windows.some(({ fromMs, untilMs }) => fromMs <= start && start <= untilMs),
        );
        expect(expected(read, isYoung ? 5 : 30)).toEqual(expected(startsMs, isYoung ? 5 : 30));
      }),
    );
  });

  function weekdayOf(ms: number): number {
    return new Date(ms).getUTCDay();
  }
});
