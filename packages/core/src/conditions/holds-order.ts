import { assertNever } from '../assert.ts';

export type OrderOperator = 'GREATER_THAN' | 'GREATER_THAN_OR_EQUAL' | 'LESS_THAN' | 'LESS_THAN_OR_EQUAL';

/** `order` of the left side against the right: negative, 0 or positive. */
export function holdsOrder(operator: OrderOperator, order: number): boolean {
  switch (operator) {
    case 'GREATER_THAN':
      return order > 0;
    case 'GREATER_THAN_OR_EQUAL':
      return order >= 0;
    case 'LESS_THAN':
      return order < 0;
    case 'LESS_THAN_OR_EQUAL':
      return order <= 0;
    default:
      return assertNever(operator);
  }
}
