/**
 * One field of a Quartz cron expression: lists of values, ranges that may wrap, steps and names. What Quartz 2.3.2
 * reads in another way than people think is read as Quartz does; what it silently ignores is refused, but for a step
 * behind names, which a warning tells.
 */

export interface CronField {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  readonly stepMax: number;
  /** Names that stand for numbers from `min`; their first three letters count. */
  readonly words: readonly string[];
}

export interface FieldValues {
  /** Ascending. */
  readonly values: readonly number[];
  readonly warnings: readonly string[];
}

/** Why an expression cannot be read: the end of a sentence that begins with the expression. */
export class CronProblem extends Error {}

const ownWords = {
  months: 'JANUARY FEBRUARY MARCH APRIL MAY JUNE JULY AUGUST SEPTEMBER OCTOBER NOVEMBER DECEMBER',
  weekdays: 'SUNDAY MONDAY TUESDAY WEDNESDAY THURSDAY FRIDAY SATURDAY',
};

export const cronFields = {
  second: { name: 'seconds', min: 0, max: 59, stepMax: 59, words: [] },
  minute: { name: 'minutes', min: 0, max: 59, stepMax: 59, words: [] },
  hour: { name: 'hours', min: 0, max: 23, stepMax: 23, words: [] },
  dayOfMonth: { name: 'day of month', min: 1, max: 31, stepMax: 31, words: [] },
  month: { name: 'month', min: 1, max: 12, stepMax: 12, words: ownWords.months.split(' ') },
  dayOfWeek: { name: 'day of week', min: 1, max: 7, stepMax: 7, words: ownWords.weekdays.split(' ') },
  // Quartz looks a hundred years ahead.
  year: { name: 'year', min: 1970, max: 2126, stepMax: 2126, words: [] },
} satisfies Record<string, CronField>;

/** `*`, `5`, `MON-FRI`, `22-2`, each with a step or without, with commas between them. */
export function parseField(text: string, field: CronField): FieldValues {
  if (text === '*') return allOf(field);
  const values = new Set<number>();
  const warnings: string[] = [];
  for (const part of text.split(',')) addPart(part, field, values, warnings);
  return { values: [...values].sort((a, b) => a - b), warnings };
}

const alls = new Map<CronField, FieldValues>();

function allOf(field: CronField): FieldValues {
  const known = alls.get(field);
  if (known) return known;
  const { min, max } = field;
  const all = { values: Array.from({ length: max - min + 1 }, (_, index) => min + index), warnings: [] };
  alls.set(field, all);
  return all;
}

function addPart(part: string, field: CronField, values: Set<number>, warnings: string[]): void {
  const [range = '', step, ...more] = part.split('/');
  if (more.length > 0) throw refuse(part, field, 'has more than one step');
  const ends = range.split('-');
  if (ends.length > 2) throw refuse(part, field, 'has more than two ends');
  const isAll = range === '*' || (range === '' && step !== undefined);
  const isNamed = !isAll && !isNumber(ends[0] ?? '');
  if (ends[1] !== undefined && isNumber(ends[1]) === isNamed)
    throw refuse(part, field, 'mixes a name and a number');
  const first = isAll ? field.min : parseValue(ends[0] ?? '', field);
  const by = step === undefined ? null : parseStep(step, ends.length === 2 && !isAll, field);
  if (isNamed && by !== null) warnings.push(stepBehindNames(part, ends, field));
  const used = isNamed ? null : by;
  const last = ends[1] !== undefined ? parseValue(ends[1], field) : isAll || used ? field.max : first;
  addRange({ first, last, by: used ?? 1 }, field, values);
}

function addRange(
  { first, last, by }: { readonly first: number; readonly last: number; readonly by: number },
  field: CronField,
  values: Set<number>,
): void {
  const { min, max } = field;
  if (last < first && field === cronFields.year)
    throw refuse(`${first}-${last}`, field, 'ends before it begins');
  const count = max - min + 1;
  const end = last < first ? last + count : last;
  for (let value = first; value <= end; value += by) values.add(((value - min) % count) + min);
}

function parseValue(text: string, field: CronField): number {
  const value = isNumber(text) ? Number(text) : parseWord(text, field);
  if (value === null) throw refuse(text, field, `is none of its values${wordsCure(text, field)}`);
  if (value < field.min || value > field.max)
    throw refuse(text, field, `is not within ${field.min}–${field.max}`);
  return value;
}

/** Number of a name, as short as `MON` or whole. */
export function parseWord(text: string, { words, min }: CronField): number | null {
  const index = text.length < 3 ? -1 : words.findIndex((word) => word === text || word.slice(0, 3) === text);
  return index === -1 ? null : index + min;
}

function parseStep(text: string, isOfRange: boolean, field: CronField): number {
  if (!isNumber(text) || Number(text) === 0)
    throw refuse(`/${text}`, field, 'is no step: a number above 0 is expected');
  const step = Number(text);
  if (!isOfRange && step > field.stepMax)
    throw refuse(`/${text}`, field, `is a step that is larger than ${field.stepMax}`);
  return step;
}

function stepBehindNames(part: string, ends: readonly string[], field: CronField): string {
  const numbers = ends.map((end) => parseWord(end, field) ?? end).join('-');
  const step = part.slice(part.indexOf('/'));
  return `Quartz ignores the step behind names in '${part}': write ${numbers}${step}.`;
}

export function isNumber(text: string): boolean {
  return /^\d{1,4}$/.test(text);
}

export function refuse(text: string, field: CronField, why: string): CronProblem {
  return new CronProblem(`the field for the ${field.name} cannot be read: '${text}' ${why}`);
}

function wordsCure(text: string, { words }: CronField): string {
  if (words.length === 0) return '';
  const near = words.find((word) => word[0] === text[0] && text.length >= 2 && word.includes(text[1] ?? ''));
  const names = words.map((word) => word.slice(0, 3)).join(', ');
  return near ? ` (${near.slice(0, 3)}?); they are ${names}` : `; they are ${names}`;
}
