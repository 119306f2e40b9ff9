/** What a condition task decides, from operands whose references are resolved. */
import type { ConditionOp } from '@headrace/api';
import { assertNever } from '../assert.ts';
import { quoteText } from '../parameters/quote-text.ts';
import { compareDecimals, parseDecimal } from './decimal.ts';
import { holdsOrder, type OrderOperator } from './holds-order.ts';

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

function evaluateOrdering(op: OrderOperator, left: string, right: string): ConditionVerdict {
  const leftNumber = parseDecimal(left);
  if (leftNumber === null) return { problem: describeNonNumber(op, 'left', left) };
  const rightNumber = parseDecimal(right);
  if (rightNumber === null) return { problem: describeNonNumber(op, 'right', right) };
  return { outcome: holdsOrder(op, compareDecimals(leftNumber, rightNumber)) };
}

function describeNonNumber(op: OrderOperator, side: 'left' | 'right', text: string): string {
  const got = text === '' ? 'the empty text' : quoteText(text);
  return `${op} compares numbers, and the ${side} side of the condition is ${got}`;
}
