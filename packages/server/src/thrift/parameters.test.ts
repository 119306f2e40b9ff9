import { expect, test } from 'vitest';
import { readParameters } from './parameters.ts';

type Sent = Parameters<typeof readParameters>[0][number];
type Part = NonNullable<Sent['arguments']>[number];

const single = (type: string, value: string | null): Part => ({ type, value, arguments: null });
const collection = (type: string, ...parts: Part[]): Part => ({ type, value: null, arguments: parts });
const bound = (part: Part): Sent => ({ ...part, name: 'a', value: null, ordinal: null });

test('an array and a map are texts of their elements', () => {
  const row = collection('Array', single('int', '1'), single('VOID', 'None'));

  expect(readParameters([bound(collection('MAP', single('STRING', 'k'), row))])).toEqual([
    {
      ...{ name: 'a', type: 'MAP' },
      value:
        '[{"type":"STRING","value":"k"},{"type":"ARRAY","value":[{"type":"INT","value":"1"},{"type":"VOID","value":null}]}]',
    },
  ]);
  expect(readParameters([bound(collection('ARRAY'))])).toEqual([{ name: 'a', type: 'ARRAY', value: '[]' }]);
});

test('nothing but a type stands where an element has one, however deep', () => {
  const trap = collection('ARRAY', collection('ARRAY', single('INT) as b, (select 1', '1')));

  expect(() => readParameters([bound(trap)])).toThrow(/takes a type of one value/);
});

test.each([
  ['a map without a value', collection('MAP', single('INT', '1')), /a value for each key/],
  [
    'eleven levels',
    Array.from({ length: 10 }).reduce<Part>((part) => collection('ARRAY', part), collection('ARRAY')),
    /more than 10 arrays/,
  ],
  [
    'too many elements',
    collection('ARRAY', ...Array.from({ length: 10_001 }, () => single('INT', '1'))),
    /more than 10000 elements/,
  ],
])('%s is refused', (_, part, message) => {
  expect(() => readParameters([bound(part)])).toThrow(message);
});
