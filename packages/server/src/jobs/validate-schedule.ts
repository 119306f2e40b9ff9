/**
 * Whether a schedule can be read at all: seconds, minutes, hours, day of month, month, day of week and perhaps a year,
 * each in the grammar of Quartz, and a time zone that exists.
 * Source: https://www.quartz-scheduler.org/documentation/quartz-2.3.0/tutorials/crontrigger.html
 */
import { quoteText } from '@headrace/core';

interface Field {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  /** Names that stand for numbers from `min`. */
  readonly words?: readonly string[];
  /** Forms that only this field has. */
  readonly special?: RegExp;
}

const months = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const weekdays = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];
const fields: readonly Field[] = [
  { name: 'seconds', min: 0, max: 59 },
  { name: 'minutes', min: 0, max: 59 },
  { name: 'hours', min: 0, max: 23 },
  { name: 'day of month', min: 1, max: 31, special: /^(\?|L|LW|L-\d{1,2}|\d{1,2}W)$/ },
  { name: 'month', min: 1, max: 12, words: months },
  {
    name: 'day of week',
    min: 1,
    max: 7,
    words: weekdays,
    special: /^(\?|L|(\d|[A-Z]{3})L|(\d|[A-Z]{3})#[1-5])$/,
  },
  { name: 'year', min: 1970, max: 2099 },
];
/** Real ones have some tens. */
const expressionCharsMax = 1_000;

export function findScheduleProblems(schedule: {
  readonly quartz_cron_expression: string;
  readonly timezone_id: string;
}): string[] {
  const cron = findCronProblem(schedule.quartz_cron_expression);
  return [
    ...(cron === null ? [] : [`schedule.quartz_cron_expression: ${cron}`]),
    ...(isTimeZone(schedule.timezone_id)
      ? []
      : ['schedule.timezone_id: expected a time zone such as UTC or Europe/Berlin']),
  ];
}

function findCronProblem(expression: string): string | null {
  if (expression.length > expressionCharsMax) return `expected at most ${expressionCharsMax} characters`;
  const quoted = quoteText(expression);
  const parts = expression.trim().toUpperCase().split(/\s+/);
  if (parts.length !== 6 && parts.length !== 7) {
    const cure = parts.length === 5 ? '; a five-field expression lacks the seconds and a ?' : '';
    return `${quoted} has ${parts.length} fields, a Quartz expression has 6 or 7${cure}`;
  }
  const wrong = fields.find(
    (field, index) => !(parts[index] ?? '*').split(',').every((part) => isPart(part, field)),
  );
  if (wrong) return `${quoted}: the field for the ${wrong.name} cannot be read`;
  if ((parts[3] === '?') === (parts[5] === '?')) {
    return `${quoted}: exactly one of day of month and day of week must be ?`;
  }
  return null;
}

/** `*`, `5`, `MON-FRI`, and each of them with `/2`. */
function isPart(text: string, field: Field): boolean {
  if (field.special?.test(text)) return true;
  const [range = '', step, ...more] = text.split('/');
  if (more.length > 0 || (step !== undefined && !/^0*[1-9]\d{0,3}$/.test(step))) return false;
  if (range === '*' || (range === '' && step !== undefined)) return true;
  const ends = range.split('-');
  return ends.length <= 2 && ends.every((end) => isValue(end, field));
}

function isValue(text: string, { min, max, words }: Field): boolean {
  if (words?.includes(text)) return true;
  return /^\d{1,4}$/.test(text) && Number(text) >= min && Number(text) <= max;
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    // The only way to ask about any spelling: lists of zones lack their older names.
    return false;
  }
}
