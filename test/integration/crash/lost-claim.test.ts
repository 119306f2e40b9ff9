/** An attempt is set up while its claim is saved; when its run is not saved, nothing of it may stay on the host. */
import pg from 'pg';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { fakeTask, startTestEngine, type TestEngine } from '../runs/engine.ts';

let engine: TestEngine;
beforeAll(async () => {
  engine = await startTestEngine();
});
afterEach(() => {
  vi.restoreAllMocks();
});
afterAll(() => engine.close());

/** As when two requests with one token look at once, and neither finds the other's run. */
function findNoToken(): void {
  const query = pg.Pool.prototype.query as (...values: unknown[]) => Promise<unknown>;
  const blind = async function (this: pg.Pool, ...values: unknown[]) {
    const [{ name }] = values as [{ name?: string }];
    if (name !== 'runs-find-by-token') return query.apply(this, values);
    vi.restoreAllMocks();
    return { rows: [] };
  };
  vi.spyOn(pg.Pool.prototype, 'query').mockImplementation(blind as never);
}

test('the host drops what was set up for a run that another request has made', async () => {
  const request = { run_name: 'once', idempotency_token: 'one', tasks: [fakeTask('a')] };
  const { run_id } = await engine.client.runsSubmit(request);
  await engine.waitForEnd(run_id);

  findNoToken();
  const again = await engine.client.runsSubmit(request);

  expect(again.run_id).toBe(run_id);
  const held = () => [...engine.backend.hosts.values()].flatMap((host) => [...host.attemptStates()]);
  await expect.poll(held).toEqual([]);
});
