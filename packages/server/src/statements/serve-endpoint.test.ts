import { expect, test } from 'vitest';
import type { Services } from '../services.ts';
import { Bell } from './bell.ts';
import type { EndpointWatch } from './endpoint-watch.ts';
import { answerPoll } from './serve-endpoint.ts';

test('a question that fails leaves nobody listening', async () => {
  let listening = 0;
  const bell = new (class extends Bell {
    override listen(name: string) {
      listening += 1;
      const ear = super.listen(name);
      return {
        ...ear,
        close() {
          listening -= 1;
          ear.close();
        },
      };
    }
  })();
  const away = () => Promise.reject(new Error('the store is away'));
  const services = {
    ...{ bell, listCatalogNames: away, lookEveryMs: 10, clock: { nowMs: () => 0 } },
    watch: { add: () => {} } as unknown as EndpointWatch,
    // Nothing else of it is asked before it fails.
    db: { query: away } as unknown as Services['db'],
    ...({} as Pick<Services, 'blobs' | 'config'>),
  };
  const shared = { runId: 1, warehouseId: 'w', principalId: 2, generation: 1, createdAtMs: 0 };
  const question = { poll: 1, held: [], cancelling: [], room: 1, wait_ms: 10 };
  const signal = new AbortController().signal;

  for (const readyAtMs of [null, 5]) {
    const endpoint = { ...shared, readyAtMs, endedAtMs: null, endMessage: null };
    await expect(answerPoll(services, endpoint, question, signal)).rejects.toThrow(/away/);
  }

  expect(listening).toBe(0);
});
