/** Decimal numbers of any size, compared exactly: ids and money beyond 2^53 must not become equal by rounding. */

export interface Decimal {
  readonly sign: -1 | 0 | 1;
  /** Without zeros at either end; empty for zero. */
  readonly digits: string;
  /** The power of ten of the first digit: 12.5 has 1, 0.05 has -2. */
  readonly magnitude: number;
}

/** A sign, digits with or without a point, an exponent. No hex, no separators, no spaces, no Infinity or NaN. */
const decimalPattern = /^([+-]?)(?:(\d+)(?:\.(\d*))?|\.(\d+))(?:[eE]([+-]?\d{1,9}))?$/;

/** Null for a text that is not a number. */
export function parseDecimal(text: string): Decimal | null {
  const match = decimalPattern.exec(text);
  if (!match) return null;
  const [, sign, whole = '', fraction = '', bareFraction = '', exponent = '0'] = match;
  const all = whole + fraction + bareFraction;
  const zeros = countLeadingZeros(all);
  if (zeros === all.length) return { sign: 0, digits: '', magnitude: 0 };
  return {
    sign: sign === '-' ? -1 : 1,
    digits: all.slice(zeros, all.length - countTrailingZeros(all)),
    magnitude: whole.length - 1 - zeros + Number(exponent),
  };
}

/** Negative, zero or positive, as sort functions answer. */
export function compareDecimals(left: Decimal, right: Decimal): number {
  if (left.sign !== right.sign) return left.sign - right.sign;
  if (left.magnitude !== right.magnitude) return left.sign * (left.magnitude - right.magnitude);
  if (left.digits === right.digits) return 0;
  // Both start at the same power of ten, so their order is that of the texts: '12' < '125' < '13'.
  return left.digits < right.digits ? -left.sign : left.sign;
}

function countLeadingZeros(digits: string): number {
  let count = 0;
  while (digits[count] === '0') count++;
  return count;
}

/** A pattern such as /0+$/ takes quadratic time on a long run of zeros. */
function countTrailingZeros(digits: string): number {
  let count = 0;
  while (digits[digits.length - 1 - count] === '0') count++;
  return count;
}
