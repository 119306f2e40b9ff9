/**
 * When an expression fires next: the first time on the clock of its zone, after a moment, that all its fields name. A
 * time that the clock jumps over is left out; one that it shows twice fires once, at the later moment.
 */
import type { CronDays, CronExpression } from './parse-cron.ts';
import type { ZoneOffsets } from './zone-offsets.ts';

const secondMs = 1_000;
const dayMs = 86_400_000;

/** Epoch milliseconds, on a whole second and after `afterMs`; null when it never fires again. */
export function nextFireAfter(cron: CronExpression, zone: ZoneOffsets, afterMs: number): number | null {
  let wallMs = zone.toWallMs(Math.floor(afterMs / secondMs) * secondMs + secondMs);
  for (;;) {
    const found = nextWallTime(cron, wallMs);
    if (found === null) return null;
    const moment = zone.toMoment(found);
    if (moment.kind === 'at') return moment.epochMs;
    wallMs = moment.untilWallMs;
  }
}

/** At least `fromMs`. */
function nextWallTime(cron: CronExpression, fromMs: number): number | null {
  const from = new Date(fromMs);
  const year = from.getUTCFullYear();
  const dayStartMs = Math.floor(fromMs / dayMs) * dayMs;
  const isDayNamed =
    cron.years.includes(year) &&
    cron.months.includes(from.getUTCMonth() + 1) &&
    daysOf(cron.days, year, from.getUTCMonth() + 1).includes(from.getUTCDate());
  const timeMs = isDayNamed ? nextTimeOfDay(cron, from) : null;
  if (timeMs !== null) return dayStartMs + timeMs;
  const nextDayMs = nextDay(cron, dayStartMs + dayMs);
  return nextDayMs === null ? null : nextDayMs + firstTimeOfDay(cron);
}

function firstTimeOfDay({ hours, minutes, seconds }: CronExpression): number {
  return toTimeMs(hours[0] ?? 0, minutes[0] ?? 0, seconds[0] ?? 0);
}

function nextTimeOfDay({ hours, minutes, seconds }: CronExpression, from: Date): number | null {
  const [hour, minute, second] = [from.getUTCHours(), from.getUTCMinutes(), from.getUTCSeconds()];
  const [firstMinute = 0] = minutes;
  const [firstSecond = 0] = seconds;
  if (hours.includes(hour)) {
    const sameMinute = minutes.includes(minute) ? atLeast(seconds, second) : null;
    if (sameMinute !== null) return toTimeMs(hour, minute, sameMinute);
    const nextMinute = atLeast(minutes, minute + 1);
    if (nextMinute !== null) return toTimeMs(hour, nextMinute, firstSecond);
  }
  const nextHour = atLeast(hours, hour + 1);
  return nextHour === null ? null : toTimeMs(nextHour, firstMinute, firstSecond);
}

function toTimeMs(hour: number, minute: number, second: number): number {
  return ((hour * 60 + minute) * 60 + second) * secondMs;
}

/** Start of the first day at or after `fromMs` that is named. */
function nextDay({ years, months, days }: CronExpression, fromMs: number): number | null {
  const from = new Date(fromMs);
  let month = from.getUTCMonth() + 1;
  let day = from.getUTCDate();
  const fromYear = from.getUTCFullYear();
  for (const year of years) {
    if (year < fromYear) continue;
    if (year > fromYear) [month, day] = [1, 1];
    for (const named of months) {
      if (named < month) continue;
      const found = atLeast(daysOf(days, year, named), named > month ? 1 : day);
      if (found !== null) return Date.UTC(year, named - 1, found);
    }
  }
  return null;
}

/** Of a month, ascending; 1 is its first. */
function daysOf(days: CronDays, year: number, month: number): readonly number[] {
  const last = lastDayOf(year, month);
  switch (days.kind) {
    case 'days_of_month':
      return (days.days.at(-1) ?? 0) <= last ? days.days : days.days.filter((day) => day <= last);
    case 'last_day': {
      const day = last - days.offset;
      return within(days.isNearestWeekday ? nearestWeekday(year, month, day) : day, last);
    }
    case 'nearest_weekday':
      return within(nearestWeekday(year, month, days.day), last);
    case 'days_of_week':
      return daysByWeek(days.days, year, month, last);
    case 'last_weekday':
      return daysByWeek([days.weekday], year, month, last).slice(-1);
    case 'nth_weekday':
      return daysByWeek([days.weekday], year, month, last).slice(days.nth - 1, days.nth);
  }
}

/** 1 is Sunday. */
function daysByWeek(weekdays: readonly number[], year: number, month: number, last: number): number[] {
  const first = weekdayOf(year, month, 1);
  const days: number[] = [];
  for (let day = 1; day <= last; day += 1) {
    if (weekdays.includes(((first - 1 + day - 1) % 7) + 1)) days.push(day);
  }
  return days;
}

/**
 * It stays in the month. In a month without such a day Quartz counts into the next one: 31W of April is the 30th when
 * the first of May is a Saturday. (It leaves that out where its search comes from the month before; this does not.)
 */
function nearestWeekday(year: number, month: number, day: number): number {
  const weekday = weekdayOf(year, month, day);
  if (weekday === 7) return day === 1 ? day + 2 : day - 1;
  if (weekday === 1) return day === lastDayOf(year, month) ? day - 2 : day + 1;
  return day;
}

function within(day: number, last: number): number[] {
  return day >= 1 && day <= last ? [day] : [];
}

function weekdayOf(year: number, month: number, day: number): number {
  return new Date(Date.UTC(year, month - 1, day)).getUTCDay() + 1;
}

function lastDayOf(year: number, month: number): number {
  return new Date(Date.UTC(year, month, 0)).getUTCDate();
}

function atLeast(ascending: readonly number[], least: number): number | null {
  for (const value of ascending) if (value >= least) return value;
  return null;
}
