import { conditionOps } from '@headrace/api';
import { describe, expect, test } from 'vitest';
import { evaluateCondition, looksNumeric } from './evaluate-condition.ts';

const orderings = conditionOps.filter((op) => op !== 'EQUAL_TO' && op !== 'NOT_EQUAL');

describe('a condition', () => {
  test.each([
    ['a', 'a', true],
    ['12.0', '12', false],
    ['', '', true],
    ['true', 'True', false],
    [' 1', '1', false],
  ])('equality compares texts: %j and %j', (left, right, same) => {
    expect(evaluateCondition('EQUAL_TO', left, right)).toEqual({ outcome: same });
    expect(evaluateCondition('NOT_EQUAL', left, right)).toEqual({ outcome: !same });
  });

  test.each<[string, string, -1 | 0 | 1]>([
    ['1', '2', -1],
    ['10', '9', 1],
    ['12.0', '12', 0],
    ['-1', '1', -1],
    ['-2', '-10', 1],
    ['0', '-0.000', 0],
    ['+.5', '0.50', 0],
    ['5.', '5', 0],
    ['1e3', '1000', 0],
    ['1.5E-2', '0.015', 0],
    ['0.0099', '0.01', -1],
    ['0.95', '0.9', 1],
    ['007', '7', 0],
    ['9007199254740993', '9007199254740992', 1],
    ['0.1000000000000000000001', '0.1', 1],
    ['-123456789012345678901', '-123456789012345678902', 1],
    ['1e400', '9e399', 1],
  ])('orderings compare numbers exactly: %s and %s', (left, right, order) => {
    const expected: Record<(typeof orderings)[number], boolean> = {
      GREATER_THAN: order > 0,
      GREATER_THAN_OR_EQUAL: order >= 0,
      LESS_THAN: order < 0,
      LESS_THAN_OR_EQUAL: order <= 0,
    };
    for (const op of orderings) {
      expect(evaluateCondition(op, left, right)).toEqual({ outcome: expected[op] });
    }
  });

  test.each([
    '',
    ' 1',
    '0x10',
    'Infinity',
    'NaN',
    '1,5',
    '1_000',
    'GOOD',
    '.',
    'e5',
    '1e',
    '--1',
    '{{input}}',
  ])('a non-number under an ordering is a problem that names the side: %j', (text) => {
    for (const op of orderings) {
      expect(evaluateCondition(op, text, '1')).toEqual({ problem: expect.stringContaining('left side') });
      expect(evaluateCondition(op, '1', text)).toEqual({ problem: expect.stringContaining('right side') });
    }
    expect(evaluateCondition('LESS_THAN', 'GOOD', '1')).toEqual({
      problem: "LESS_THAN compares numbers, and the left side of the condition is 'GOOD'",
    });
  });

  test('a long operand is cut in the message', () => {
    const verdict = evaluateCondition('LESS_THAN', 'x'.repeat(1_000_000), '1');

    expect(verdict).toEqual({ problem: expect.stringContaining('(1000000 characters)') });
    expect(JSON.stringify(verdict).length).toBeLessThan(300);
  });

  test('a text looks numeric when an ordering would take it', () => {
    expect(['12.0', '-3', '1e5'].every(looksNumeric)).toBe(true);
    expect(['', 'GOOD', '{{input}}', '0x1'].some(looksNumeric)).toBe(false);
  });
});
