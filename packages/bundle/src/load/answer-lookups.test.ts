import { expect, test } from 'vitest';
import type { Lookup, LookupKind } from '../resolve/lookups.ts';
import { answerLookups, type LookupClient } from './answer-lookups.ts';

const AT = { file: 'databricks.yml', line: 1, column: 1 };
const wanted = (variable: string, kind: LookupKind, name: string): Lookup => ({
  variable,
  kind,
  name,
  at: AT,
});

test('each name is answered from the lists of its kind, page after page, each list read once', async () => {
  const calls: string[] = [];
  // Only what is asked here is answered; another call would be a mistake of this test.
  const client = {
    warehousesList: async ({ page_token = '' }) => {
      calls.push(`warehouses ${page_token}`);
      return page_token === ''
        ? { warehouses: [{ id: 'w1', name: 'small' }], next_page_token: 'more' }
        : {
            warehouses: [
              { id: 'w2', name: 'big' },
              { id: 'w3', name: 'big' },
            ],
          };
    },
    jobsList: async ({ name = '' }) => {
      calls.push(`jobs ${name}`);
      return { has_more: false, jobs: [{ job_id: 7, settings: { name } }] };
    },
  } as unknown as LookupClient;

  const answers = await answerLookups(
    [
      wanted('a', 'warehouse', 'small'),
      wanted('b', 'warehouse', 'big'),
      wanted('c', 'warehouse', 'gone'),
      wanted('d', 'job', 'nightly'),
      wanted('e', 'metastore', 'm'),
    ],
    client,
  );

  expect(Object.fromEntries(answers)).toEqual({
    a: { kind: 'found', id: 'w1' },
    b: { kind: 'ambiguous', ids: ['w2', 'w3'] },
    c: { kind: 'missing' },
    d: { kind: 'found', id: '7' },
    e: { kind: 'unsupported' },
  });
  expect(calls.sort()).toEqual(['jobs nightly', 'warehouses ', 'warehouses more']);
});
