import { describe, expect, test } from 'vitest';
import { inputsBytesMax, inputsMax, parseInputs } from './parse-inputs.ts';

describe('the inputs of a for-each', () => {
  test.each([
    ['[]', []],
    [' [1, "a", null, true] ', [1, 'a', null, true]],
    ['[{"table":"orders","days":[1]}]', [{ table: 'orders', days: [1] }]],
  ])('%s is read', (text, inputs) => {
    expect(parseInputs(text)).toEqual({ inputs });
  });

  test.each([
    ['{"a":1}', `the inputs are not a JSON array but an object: '{"a":1}'`],
    ['"a,b"', `the inputs are not a JSON array but a text: '"a,b"'`],
    ['3', "the inputs are not a JSON array but a number: '3'"],
    ['true', "the inputs are not a JSON array but a boolean: 'true'"],
    ['null', "the inputs are not a JSON array but null: 'null'"],
    ['', 'the inputs are not JSON; expected a JSON array, the text is empty'],
    ["['a']", "the inputs are not JSON; expected a JSON array, got '['a']'"],
    ['{{tasks.a.values.x}}', "the inputs are not JSON; expected a JSON array, got '{{tasks.a.values.x}}'"],
  ])('%s is refused in words that say what it is', (text, problem) => {
    expect(parseInputs(text)).toEqual({ problem });
  });

  test('the number of inputs has a limit', () => {
    const most = JSON.stringify(Array.from({ length: inputsMax }, (_, index) => index));

    expect(parseInputs(most)).toHaveProperty('inputs.length', inputsMax);
    expect(parseInputs(most.replace('[', '[0,'))).toEqual({
      problem: 'there are 5001 inputs; at most 5000 are allowed',
    });
  });

  test('their size in bytes has a limit', () => {
    const text = JSON.stringify(['ü'.repeat(inputsBytesMax / 2)]);

    expect(parseInputs(text)).toEqual({
      problem: `the inputs take ${inputsBytesMax + 4} bytes; at most ${inputsBytesMax} are allowed`,
    });
  });

  test.each(['[1,9007199254740993]', '[1,{"id":12345678901234567890}]', '[1,1e999]'])(
    '%s would be rounded, and is refused',
    (text) => {
      expect(parseInputs(text)).toEqual({ problem: expect.stringContaining('input 1 holds a number') });
    },
  );

  test.each([101, 100_000])('%i levels are too deep', (levels) => {
    expect(parseInputs('['.repeat(levels) + ']'.repeat(levels))).toEqual({
      problem: 'input 0 is nested more than 100 levels deep',
    });
  });
});
