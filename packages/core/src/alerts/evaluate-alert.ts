/** What the result of an alert's query says about its state, and whether somebody is to be told. */
import { compareDecimals, type Decimal, parseDecimal } from '../conditions/decimal.ts';
import { holdsOrder } from '../conditions/holds-order.ts';
import { quoteText } from '../parameters/quote-text.ts';

export const alertOperators = [
  'GREATER_THAN',
  'GREATER_THAN_OR_EQUAL',
  'LESS_THAN',
  'LESS_THAN_OR_EQUAL',
  'EQUAL',
  'NOT_EQUAL',
  'IS_NULL',
  'IS_NOT_NULL',
] as const;
export type AlertOperator = (typeof alertOperators)[number];

/** ERROR: its query failed, or gave nothing that can be compared. */
export const alertStates = ['UNKNOWN', 'OK', 'TRIGGERED', 'ERROR'] as const;
export type AlertState = (typeof alertStates)[number];

export type AlertValue = string | number | boolean | null;

export interface AlertCheck {
  readonly operator: AlertOperator;
  /** What the query gave; null is SQL's NULL. */
  readonly value: AlertValue;
  readonly threshold: AlertValue;
}

export type AlertVerdict =
  | { readonly kind: 'state'; readonly state: 'OK' | 'TRIGGERED' | 'UNKNOWN' }
  | { readonly kind: 'failed'; readonly message: string };

/** As SQL does, a comparison with NULL is neither true nor false. */
export function evaluateAlert({ operator, value, threshold }: AlertCheck): AlertVerdict {
  if (operator === 'IS_NULL') return stateOf(value === null);
  if (operator === 'IS_NOT_NULL') return stateOf(value !== null);
  if (value === null || threshold === null) return { kind: 'state', state: 'UNKNOWN' };
  const numbers = [toDecimal(value), toDecimal(threshold)] as const;
  if (numbers[0] !== null && numbers[1] !== null)
    return stateOf(holds(operator, compareDecimals(numbers[0], numbers[1])));
  const isOrder = operator !== 'EQUAL' && operator !== 'NOT_EQUAL';
  if (isOrder && typeof threshold === 'number')
    return {
      kind: 'failed',
      message: `${quoteText(String(value))} is no number, and cannot be compared with ${threshold}`,
    };
  const texts = [toText(value), toText(threshold)] as const;
  return stateOf(holds(operator, texts[0] < texts[1] ? -1 : texts[0] > texts[1] ? 1 : 0));
}

function stateOf(isTriggered: boolean): AlertVerdict {
  return { kind: 'state', state: isTriggered ? 'TRIGGERED' : 'OK' };
}

function holds(operator: Exclude<AlertOperator, 'IS_NULL' | 'IS_NOT_NULL'>, order: number): boolean {
  if (operator === 'EQUAL') return order === 0;
  return operator === 'NOT_EQUAL' ? order !== 0 : holdsOrder(operator, order);
}

/** Decimals and large integers come as texts, so that no digit is lost on the way. */
function toDecimal(value: string | number | boolean): Decimal | null {
  return typeof value === 'boolean' ? null : parseDecimal(String(value).trim());
}

/** SQL's `true` is equal to a person's `True`. */
function toText(value: string | number | boolean): string {
  const text = String(value);
  return /^(true|false)$/i.test(text) ? text.toLowerCase() : text;
}

export interface AlertMove {
  readonly from: AlertState;
  readonly to: AlertState;
  /** When somebody was told last that it is triggered; null: nobody has been since it was. */
  readonly toldAtMs: number | null;
  /** Null: only once. */
  readonly repeatMs: number | null;
  readonly tellsOfOk: boolean;
  readonly nowMs: number;
}

export interface AlertNews {
  readonly isChange: boolean;
  /** Whoever wants to hear of the alert is to be told. */
  readonly isDue: boolean;
}

/** Of a state that was found again nobody is told, unless the alert asks for it. */
export function decideAlertNews({ from, to, toldAtMs, repeatMs, tellsOfOk, nowMs }: AlertMove): AlertNews {
  const isChange = from !== to;
  if (to === 'TRIGGERED') {
    // It may have been found by somebody who wanted nobody to be told.
    const isUntold = toldAtMs === null;
    const isRepeat = repeatMs !== null && toldAtMs !== null && nowMs - toldAtMs >= repeatMs;
    return { isChange, isDue: isChange || isUntold || isRepeat };
  }
  return { isChange, isDue: isChange && to === 'OK' && from === 'TRIGGERED' && tellsOfOk };
}
