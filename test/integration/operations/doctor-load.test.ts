/** Under load nothing is wrong, so the doctor must find nothing: what it looks at changes while it looks. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { fakeTask } from '../runs/engine.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.dispose());

async function kindsFound(): Promise<string[]> {
  const { findings } = await server.client.doctor({ deep: true });
  return findings.map(({ kind }) => kind).filter((kind) => kind !== 'disk_space');
}

test('while many runs come and go, with control flow and cancels, it finds nothing', async () => {
  const inputs = JSON.stringify([1, 2, 3, 4]);
  const tasks = [
    fakeTask('a', { fake: { kind: 'succeed', afterMs: 5 } }),
    fakeTask('flaky', { fake: { kind: 'fail', afterMs: 3 }, max_retries: 2 }),
    {
      task_key: 'each',
      for_each_task: {
        inputs,
        concurrency: 2,
        task: fakeTask('one', { fake: { kind: 'succeed', afterMs: 4 } }),
      },
    },
    { ...fakeTask('last', { after: ['a', 'flaky', 'each'] }), run_if: 'ALL_DONE' },
  ];
  const { job_id } = await server.client.jobsCreate({
    name: 'busy',
    tasks,
    max_concurrent_runs: 3,
    queue: { enabled: true },
  } as Parameters<typeof server.client.jobsCreate>[0]);
  const deadline = performance.now() + 6_000;
  const load = Array.from({ length: 4 }, async (_, track) => {
    while (performance.now() < deadline) {
      const { run_id } = await server.client.jobsRunNow({ job_id });
      if (track === 0) await server.client.runsCancel({ run_id });
      await expect
        .poll(async () => (await server.client.runsGet({ run_id })).status.state, { timeout: 20_000 })
        .toBe('TERMINATED');
    }
  });
  const found: string[] = [];
  let looks = 0;
  for (; performance.now() < deadline; looks += 1) found.push(...(await kindsFound()));
  await Promise.all(load);

  expect(found).toEqual([]);
  expect(looks).toBeGreaterThan(5);
}, 60_000);
