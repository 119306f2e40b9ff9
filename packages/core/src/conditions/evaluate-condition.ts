/** What a condition task decides, from operands whose references are resolved. */
import type { ConditionOp } from '@headrace/api';
import { assertNever } from '../assert.ts';
import { quoteText } from '../parameters/quote-text.ts';
import { compareDecimals, parseDecimal } from './decimal.ts';

export type ConditionVerdict = { readonly outcome: boolean } | { readonly problem: string };

/** Equality compares texts, so `12.0` is not `12`; the orderings compare numbers and need them on both sides. */
export function evaluateCondition(op: ConditionOp, left: string, right: string): ConditionVerdict {
  switch (op) {
    case 'EQUAL_TO':
      return { outcome: left === right };
    case 'NOT_EQUAL':
      return { outcome: left !== right };
    case 'GREATER_THAN':
    case 'GREATER_THAN_OR_EQUAL':
    case 'LESS_THAN':
    case 'LESS_THAN_OR_EQUAL':
      return evaluateOrdering(op, left, right);
    default:
      return assertNever(op);
  }
}

/** For the warning about an equality whose sides are numbers to a reader and texts to the operator. */
export function looksNumeric(text: string): boolean {
  return parseDecimal(text) !== null;
}

type Ordering = Exclude<ConditionOp, 'EQUAL_TO' | 'NOT_EQUAL'>;

function evaluateOrdering(op: Ordering, left: string, right: string): ConditionVerdict {
  const leftNumber = parseDecimal(left);
  if (leftNumber === null) return { problem: describeNonNumber(op, 'left', left) };
  const rightNumber = parseDecimal(right);
  if (rightNumber === null) return { problem: describeNonNumber(op, 'right', right) };
  return { outcome: holds(op, compareDecimals(leftNumber, rightNumber)) };
}

function holds(op: Ordering, order: number): boolean {
  switch (op) {
    case 'GREATER_THAN':
      return order > 0;
    case 'GREATER_THAN_OR_EQUAL':
      return order >= 0;
    case 'LESS_THAN':
      return order < 0;
    case 'LESS_THAN_OR_EQUAL':
      return order <= 0;
    default:
      return assertNever(op);
  }
}

function describeNonNumber(op: Ordering, side: 'left' | 'right', text: string): string {
  const got = text === '' ? 'the empty text' : quoteText(text);
  return `${op} compares numbers, and the ${side} side of the condition is ${got}`;
}
