import { expect, test } from 'vitest';
import type { ResultFormat } from './ports.ts';
import type { StatementRow } from './rows.ts';
import { toStatementDocument } from './wire.ts';

const sources = {
  readChunk: async () => Buffer.from('[["1"]]'),
  link: () => ({ url: 'http://here/part', expiresAtMs: 0 }),
};

function show(format: ResultFormat, disposition?: string) {
  const limits = { rowLimit: null, byteLimit: null, bytesMax: 1, timeoutMs: null };
  const row: StatementRow = {
    ...{ statementId: 's', warehouseId: 'w', principalId: 1, userName: 'anna', sessionId: null },
    request: {
      ...{ parameters: [], catalog: null, schema: null, complexAsText: false, format, ...limits },
      ...(disposition !== undefined && { disposition }),
    },
    ...{ state: 'SUCCEEDED', runId: 1, error: null, resultUntilMs: 1 },
    manifest: {
      ...{ columns: [], arrow_schema: '', total_rows: 1, total_bytes: 7, truncated: false },
      chunks: [{ rows: 1, bytes: 7 }],
    },
  };
  return toStatementDocument(row, sources);
}

test('rows stand in the answer where it is JSON and no links were asked for', async () => {
  expect((await show('JSON_ARRAY', 'INLINE')).result).toMatchObject({ data_array: [['1']] });
  // Of a client of the other protocol that reads no Arrow.
  expect((await show('JSON_ARRAY')).result).toMatchObject({ data_array: [['1']] });
});

test.each([
  ['JSON_ARRAY', 'EXTERNAL_LINKS'],
  ['CSV', 'EXTERNAL_LINKS'],
  ['ARROW_STREAM', 'EXTERNAL_LINKS'],
  ['ARROW_STREAM', undefined],
] as const)('a result in %s for %s is shown as links', async (format, disposition) => {
  const { result } = await show(format, disposition);

  expect(result?.data_array).toBeUndefined();
  expect(result?.external_links).toMatchObject([{ external_link: 'http://here/part' }]);
});
