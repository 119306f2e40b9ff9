/** Expressions, zones and moments, from a seed: each kind of field, near clock changes, leap days and ends of years. */

export interface CronCase {
  readonly expression: string;
  readonly zone: string;
  readonly afterMs: number;
}

export const zones = [
  'UTC',
  'America/New_York',
  'America/Los_Angeles',
  'America/Sao_Paulo',
  'America/Havana',
  'America/St_Johns',
  'America/Caracas',
  'Europe/London',
  'Europe/Berlin',
  'Europe/Lisbon',
  'Africa/Johannesburg',
  'Asia/Kolkata',
  'Asia/Kathmandu',
  'Asia/Tokyo',
  'Asia/Beirut',
  'Australia/Sydney',
  'Australia/Adelaide',
  'Australia/Lord_Howe',
  'Pacific/Auckland',
  'Pacific/Apia',
];

/** Clock changes of these zones in 2023–2025, leap days, ends of years and of months: UTC, in the hours around them. */
const moments = [
  '2023-03-12T06:59:00Z',
  '2023-03-26T00:30:00Z',
  '2023-10-29T00:10:00Z',
  '2023-11-05T05:20:00Z',
  '2024-02-28T22:00:00Z',
  '2024-02-29T12:00:00Z',
  '2024-03-10T04:30:00Z',
  '2024-03-10T09:15:00Z',
  '2024-03-31T00:59:59Z',
  '2024-03-30T21:50:00Z',
  '2024-04-06T14:30:00Z',
  '2024-04-06T15:20:00Z',
  '2024-10-05T15:45:00Z',
  '2024-10-06T02:00:00Z',
  '2024-10-27T00:20:00Z',
  '2024-11-03T04:40:00Z',
  '2024-11-03T05:30:00Z',
  '2024-11-03T08:30:00Z',
  '2024-12-31T23:59:59Z',
  '2025-01-01T00:00:00Z',
  '2025-02-28T23:59:00Z',
  '2025-06-15T11:22:33Z',
].map((text) => Date.parse(text));

const months = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const weekdays = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];
const hourMs = 3_600_000;

export function generateCases(count: number, seed: number): CronCase[] {
  const random = createRandom(seed);
  return Array.from({ length: count }, () => ({
    expression: anExpression(random),
    zone: random.pick(zones),
    afterMs: random.pick(moments) + random.below(6 * hourMs) - 3 * hourMs,
  }));
}

interface Random {
  below(count: number): number;
  pick<Value>(from: readonly Value[]): Value;
}

/** A linear congruential generator, of the constants of Numerical Recipes: the same cases everywhere. */
function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const below = (count: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * count);
  };
  return { below, pick: <Value>(from: readonly Value[]) => from[below(from.length)] as Value };
}

function anExpression(random: Random): string {
  const seconds = random.below(4) > 0 ? '0' : numbers(random, 0, 59);
  const minutes = random.below(3) === 0 ? String(random.below(60)) : numbers(random, 0, 59);
  // Most clock changes are between midnight and four.
  const hours = random.below(2) === 0 ? String(random.below(4)) : numbers(random, 0, 23);
  const month = random.below(2) === 0 ? '*' : named(random, 1, 12, months);
  const days = random.below(2) === 0 ? [aDayOfMonth(random), '?'] : ['?', aDayOfWeek(random)];
  const year = random.below(8) === 0 ? [numbers(random, 2023, 2032)] : [];
  return [seconds, minutes, hours, days[0], month, days[1], ...year].join(' ');
}

function aDayOfMonth(random: Random): string {
  // Where a month lacks the day before W, what Quartz finds depends on where its search began.
  const day = () => 1 + random.below(28);
  const forms = [
    () => '*',
    () => 'L',
    () => 'LW',
    () => `L-${random.below(31)}`,
    () => `L-${random.below(20)}W`,
    () => `${day()}W`,
    () => `${day()}W`,
    () => `${day()}W,${day()}W`,
    () => numbers(random, 1, 31),
    () => numbers(random, 1, 31),
    () => String(28 + random.below(4)),
  ];
  return random.pick(forms)();
}

function aDayOfWeek(random: Random): string {
  const day = () => (random.below(2) === 0 ? random.pick(weekdays) : String(1 + random.below(7)));
  const forms = [
    () => '*',
    () => 'L',
    () => `${day()}L`,
    () => `${day()}#${1 + random.below(5)}`,
    () => `${day()}#${1 + random.below(5)},${day()}`,
    () => named(random, 1, 7, weekdays),
    () => named(random, 1, 7, weekdays),
  ];
  return random.pick(forms)();
}

function named(random: Random, min: number, max: number, words: readonly string[]): string {
  if (random.below(2) === 0) return numbers(random, min, max);
  const word = () => random.pick(words);
  const forms = [word, () => `${word()},${word()}`, () => `${word()}-${word()}`, () => `${word()}/2`];
  return random.pick(forms)();
}

/** Ranges of years must not wrap; others may. */
function numbers(random: Random, min: number, max: number): string {
  const one = () => min + random.below(max - min + 1);
  const step = () => 1 + random.below(Math.min(12, max - min));
  const range = () => {
    const [from, to] = [one(), one()];
    return min > 100 ? `${Math.min(from, to)}-${Math.max(from, to)}` : `${from}-${to}`;
  };
  const forms = [
    () => '*',
    () => String(one()),
    () => `${one()},${one()},${one()}`,
    range,
    () => `${range()}/${step()}`,
    () => `${one()}/${step()}`,
    () => `*/${step()}`,
    () => `/${step()}`,
    () => `${range()},${one()}`,
  ];
  return random.pick(forms)();
}
