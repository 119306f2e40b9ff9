import type { Client, StatementDocument } from '@headrace/api';
import { expect, test } from 'vitest';
import { runStatement } from './run-statement.ts';

const signal = new AbortController().signal;
const clock = { nowMs: () => 0, sleep: async () => {} };

test('a result behind links is read whole, however many rows a part has', async () => {
  const part = Array.from({ length: 200_000 }, (_, index) => [String(index)]);
  const response = { ok: true, json: async () => part } as Response;
  const external_links = [
    {
      external_link: 'http://here/part',
      expiration: '',
      chunk_index: 0,
      row_offset: 0,
      row_count: 1,
      byte_count: 1,
    },
  ];
  const found = { statement_id: 's', status: { state: 'SUCCEEDED' }, result: { external_links } };
  const client = { statementsExecute: async () => found as StatementDocument } as unknown as Client;

  const { rows } = await runStatement({ clock, fetch: async () => response }, client, {
    place: { warehouseId: 'w' },
    asked: { text: 'select 1', parameters: [], rowsMax: null },
    signal,
  });

  expect(rows).toHaveLength(part.length);
  expect(rows.at(-1)).toEqual(['199999']);
});
