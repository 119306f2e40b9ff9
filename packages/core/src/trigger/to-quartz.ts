/** A cron expression of five fields, as Unix has them, or of Quartz's six or seven: as Quartz writes it. */
import { quoteText } from '../parameters/quote-text.ts';
import { CronProblem, cronFields, isNumber, refuse } from './cron-field.ts';
import { parseCron } from './parse-cron.ts';

export type QuartzReading =
  | { readonly kind: 'quartz'; readonly expression: string }
  | { readonly kind: 'problem'; readonly message: string };

/** In Unix both 0 and 7 are Sunday; in Quartz 1 is. */
const unixWeekday = { ...cronFields.dayOfWeek, min: 0, max: 7 };
const daysOfWeek = 7;

export function toQuartz(written: string): QuartzReading {
  const parts = written.trim().split(/\s+/);
  try {
    const expression = (parts.length === 5 ? fromUnix(parts) : withQuestionMark(parts)).join(' ');
    const cron = parseCron(expression);
    if (typeof cron !== 'string') return { kind: 'quartz', expression };
    // Of fields that the person did not write so, the name of the field is all that helps.
    return { kind: 'problem', message: cron.replace(quoteText(expression), quoteText(written)) };
  } catch (error) {
    if (error instanceof CronProblem)
      return { kind: 'problem', message: `${quoteText(written)}: ${error.message}` };
    throw error;
  }
}

/** With two stars Quartz wants a question mark for one of them; six fields are often written without. */
function withQuestionMark(parts: readonly string[]): readonly string[] {
  if (parts.includes('?') || parts.length < 6) return parts;
  if (parts[5] === '*') return parts.with(5, '?');
  return parts[3] === '*' ? parts.with(3, '?') : parts;
}

function fromUnix([minute = '', hour = '', day = '', month = '', weekday = '']: readonly string[]): string[] {
  const isAnyDay = day === '*' || day === '?';
  const isAnyWeekday = weekday === '*' || weekday === '?';
  if (!isAnyDay && !isAnyWeekday)
    throw new CronProblem(
      'it names days of the month and days of the week, of which Unix means either: make two of it',
    );
  if (isAnyWeekday) return ['0', minute, hour, isAnyDay ? '*' : day, month, '?'];
  return ['0', minute, hour, '?', month, weekday.split(',').map(toQuartzWeekdays).join(',')];
}

/** Names mean the same in both. */
function toQuartzWeekdays(part: string): string {
  const [range = '', step] = part.split('/');
  const ends = range === '*' ? ['0', '6'] : range.split('-');
  if (!ends.every(isNumber)) return part;
  const [first = 0, last = first] = ends.map(Number);
  const by = step === undefined ? 1 : Number(step);
  if (first > daysOfWeek || last > daysOfWeek || last < first || !Number.isInteger(by) || by < 1)
    throw refuse(part, unixWeekday, 'is not within 0–7');
  const days: number[] = [];
  for (let day = first; day <= (ends.length === 1 && step !== undefined ? 6 : last); day += by)
    days.push((day % daysOfWeek) + 1);
  return [...new Set(days)].sort((a, b) => a - b).join(',');
}
