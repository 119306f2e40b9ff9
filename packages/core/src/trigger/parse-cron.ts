/**
 * Quartz cron expressions: seconds, minutes, hours, day of month, month, day of week and perhaps a year.
 * Source: Quartz 2.3.2, https://www.quartz-scheduler.org/documentation/quartz-2.3.0/tutorials/crontrigger.html
 */
import { quoteText } from '../parameters/quote-text.ts';
import { CronProblem, cronFields, isNumber, parseField, parseWord, refuse } from './cron-field.ts';

export interface CronExpression {
  readonly seconds: readonly number[];
  readonly minutes: readonly number[];
  readonly hours: readonly number[];
  readonly days: CronDays;
  readonly months: readonly number[];
  readonly years: readonly number[];
  /** What is read in another way than it looks. */
  readonly warnings: readonly string[];
}

export type CronDays =
  | { readonly kind: 'days_of_month'; readonly days: readonly number[] }
  /** So many days before the end of the month. */
  | { readonly kind: 'last_day'; readonly offset: number; readonly isNearestWeekday: boolean }
  | { readonly kind: 'nearest_weekday'; readonly day: number }
  /** 1 is Sunday. */
  | { readonly kind: 'days_of_week'; readonly days: readonly number[] }
  | { readonly kind: 'last_weekday'; readonly weekday: number }
  | { readonly kind: 'nth_weekday'; readonly weekday: number; readonly nth: number };

/** Real ones have some tens. */
const expressionCharsMax = 1_000;
const offsetMax = 30;

/** A text says why it cannot be read. */
export function parseCron(expression: string): CronExpression | string {
  if (expression.length > expressionCharsMax)
    return `a cron expression has at most ${expressionCharsMax} characters`;
  const parts = expression.trim().toUpperCase().split(/\s+/);
  try {
    return parseParts(parts);
  } catch (error) {
    if (error instanceof CronProblem) return `${quoteText(expression)}: ${error.message}`;
    throw error;
  }
}

function parseParts(parts: readonly string[]): CronExpression {
  if (parts.length !== 6 && parts.length !== 7) throw new CronProblem(countProblem(parts));
  const [second = '', minute = '', hour = '', dayOfMonth = '', month = '', dayOfWeek = '', year = '*'] =
    parts;
  const warnings: string[] = [];
  const read = (text: string, name: keyof typeof cronFields) => {
    const { values, warnings: own } = parseField(text, cronFields[name]);
    warnings.push(...own);
    return values;
  };
  return {
    seconds: read(second, 'second'),
    minutes: read(minute, 'minute'),
    hours: read(hour, 'hour'),
    months: read(month, 'month'),
    days: parseDays(dayOfMonth, dayOfWeek, read),
    years: read(year, 'year'),
    warnings,
  };
}

function countProblem(parts: readonly string[]): string {
  const count = parts[0] === '' ? 0 : parts.length;
  if (count !== 5) return `it has ${count} fields, and a Quartz expression has 6 or 7`;
  const [minute, hour, dayOfMonth, month, dayOfWeek] = parts;
  const isByWeek = dayOfWeek !== '*' && dayOfMonth === '*';
  const days = isByWeek ? ['?', month, dayOfWeek] : [dayOfMonth, month, '?'];
  const quartz = ['0', minute, hour, ...days].join(' ');
  const weekdays = isByWeek ? ', where 1 is Sunday' : '';
  return `it has 5 fields, and a Quartz expression has 6 or 7: perhaps '${quartz}'${weekdays}`;
}

type ReadField = (text: string, name: 'dayOfMonth' | 'dayOfWeek') => readonly number[];

function parseDays(dayOfMonth: string, dayOfWeek: string, read: ReadField): CronDays {
  if ((dayOfMonth === '?') === (dayOfWeek === '?'))
    throw new CronProblem('exactly one of day of month and day of week must be ?');
  return dayOfWeek === '?' ? parseDayOfMonth(dayOfMonth, read) : parseDayOfWeek(dayOfWeek, read);
}

function parseDayOfMonth(text: string, read: ReadField): CronDays {
  const field = cronFields.dayOfMonth;
  const last = /^L(?:-(\d{1,2}))?(W)?$/.exec(text);
  if (last) {
    const offset = Number(last[1] ?? 0);
    if (offset > offsetMax) throw refuse(text, field, `begins more than ${offsetMax} days before the end`);
    return { kind: 'last_day', offset, isNearestWeekday: last[2] === 'W' };
  }
  if (text.includes('L')) throw refuse(text, field, 'is wrong: L, LW and L-3 stand alone');
  if (!text.includes('W')) return { kind: 'days_of_month', days: read(text, 'dayOfMonth') };
  const wrong = text.split(',').find((part) => part.includes('W') && !/^\d{1,2}W$/.test(part));
  if (wrong !== undefined) throw refuse(wrong, field, 'is wrong: W stands behind one day, as in 15W');
  // Of several days Quartz takes the first one, and moves it to the nearest weekday.
  const [day = 0] = read(text.replaceAll('W', ''), 'dayOfMonth');
  return { kind: 'nearest_weekday', day };
}

function parseDayOfWeek(text: string, read: ReadField): CronDays {
  const field = cronFields.dayOfWeek;
  // Every Saturday: the last day of the week.
  if (text === 'L') return { kind: 'days_of_week', days: [field.max] };
  if (text.includes('#')) return parseNthWeekday(text, read);
  const last = /^(.+)L$/.exec(text);
  if (!last) return { kind: 'days_of_week', days: read(text, 'dayOfWeek') };
  const [, weekday = ''] = last;
  if (!isNumber(weekday) && parseWord(weekday, field) === null)
    throw refuse(text, field, 'is wrong: L stands behind one weekday, as in 6L or FRIL');
  return { kind: 'last_weekday', weekday: read(weekday, 'dayOfWeek')[0] ?? 0 };
}

/** Of several days Quartz takes the first one of the week. */
function parseNthWeekday(text: string, read: ReadField): CronDays {
  const field = cronFields.dayOfWeek;
  const numbered = text.split(',').filter((part) => part.includes('#'));
  const [, nth] = /^(?:\d|[A-Z]{3,})#([1-5])$/.exec(numbered[0] ?? '') ?? [];
  if (numbered.length !== 1 || nth === undefined)
    throw refuse(text, field, 'is wrong: one weekday may have # and a number from 1 to 5, as in 6#3');
  const [weekday = 0] = read(text.replace(/#\d/, ''), 'dayOfWeek');
  return { kind: 'nth_weekday', weekday, nth: Number(nth) };
}
