/** Attempts are taken in the order in which they became ready, wherever they were kept meanwhile. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { fakeTask, startTestEngine, type TestEngine } from './engine.ts';

let engine: TestEngine;
beforeEach(async () => {
  engine = await startTestEngine({ hasWorker: false });
});
afterEach(() => engine.close());

/** More than the runs that are kept in memory. */
const runsCount = 350;

async function submit(at: TestEngine): Promise<number> {
  return (await at.client.runsSubmit({ run_name: 'queued', tasks: [fakeTask('t')] })).run_id ?? 0;
}

async function claim(slots: number): Promise<number[]> {
  const signal = AbortSignal.timeout(10_000);
  const request = { workerId: 'w', freeSlots: () => slots, prepare: () => {}, signal };
  return (await engine.runs.source.claim(request)).map(({ runId }) => runId);
}

test('runs that had to leave memory are not overtaken by younger ones', async () => {
  const runIds: number[] = [];
  while (runIds.length < runsCount) runIds.push(await submit(engine));

  const claimed = [...(await claim(3)), ...(await claim(2))];

  expect(claimed).toEqual(runIds.slice(0, 5));
}, 60_000);

test('what another server has queued is not overtaken by what this one queued later', async () => {
  const beside = await startTestEngine({ hasWorker: false, beside: engine });
  const first = await submit(beside);
  await beside.close();
  const later = [await submit(engine), await submit(engine), await submit(engine)];

  const claimed = await claim(2);

  expect(claimed).toEqual([first, later[0]]);
}, 60_000);
