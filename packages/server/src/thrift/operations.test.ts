import { expect, test } from 'vitest';
import { createOperationBook, type ListOperation, type StatementOperation } from './operations.ts';

const anna = 1;
const bert = 2;

function statement(id: string, principalId: number): StatementOperation {
  return { kind: 'statement', id, principalId, sessionId: 's', format: 'ARROW_STREAM', nextChunk: 0 };
}

/** Of some 900 bytes. */
function list(id: string, principalId: number, letters = 450): ListOperation {
  const columns = [{ stringVal: { values: ['a'.repeat(letters)], nulls: new Uint8Array() } }];
  return {
    ...{ kind: 'list', id, principalId, sessionId: 's', isFetched: false, metadata: {} },
    rows: { startRowOffset: 0, rows: [], columns },
  };
}

test('whoever leaves many operations behind loses their own oldest, and nobody else any', () => {
  const book = createOperationBook({ operationsMax: 3, listBytesMax: 1e6 });
  book.add(statement('of bert', bert));
  for (const id of ['1', '2', '3', '4']) book.add(statement(id, anna));

  expect(['1', '2', '3', '4'].filter((id) => book.find(id, anna))).toEqual(['2', '3', '4']);
  expect(book.find('of bert', bert)).toBeDefined();
});

test('lists beyond the bytes for all of them go from whoever has most, oldest first', () => {
  const book = createOperationBook({ operationsMax: 100, listBytesMax: 4_000 });
  book.add(list('of bert', bert));
  book.add(statement('running', anna));
  for (const id of ['1', '2', '3', '4', '5']) book.add(list(id, anna));

  expect(['1', '2', '3', '4', '5'].filter((id) => book.find(id, anna))).toEqual(['3', '4', '5']);
  expect(book.find('of bert', bert)).toBeDefined();
  expect(book.find('running', anna)).toBeDefined();
});

test('lists that are closed, or whose session is, make room', () => {
  const book = createOperationBook({ operationsMax: 100, listBytesMax: 2_000 });
  for (let turn = 0; turn < 10; turn += 1) {
    book.add(list('kept', anna));
    book.add(list('closed', bert));
    book.forget('closed', bert);
    expect(book.find('kept', anna)).toBeDefined();
    book.forgetSession('s', anna);
    expect(book.find('kept', anna)).toBeUndefined();
  }
});

test('a list that alone is too large is refused with what to do', () => {
  const book = createOperationBook({ operationsMax: 100, listBytesMax: 2_000 });
  book.add(list('small', bert));

  expect(() => book.add(list('large', anna, 5_000))).toThrow(/narrower pattern/);
  expect(book.find('small', bert)).toBeDefined();
});
