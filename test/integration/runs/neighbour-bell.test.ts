/** What servers of one PostgreSQL tell each other: enough to wake who is concerned, and nobody else. */
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createRunEventBus } from '../../../packages/server/src/event-bus.ts';
import {
  createNeighbourBell,
  type Heard,
  type NeighbourBell,
} from '../../../packages/server/src/runs/neighbour-bell.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { fakeTask, startTestEngine } from './engine.ts';

const log = pino({ level: 'silent' });
const events = createRunEventBus();
let db: TestDatabase;
let here: NeighbourBell;
let there: NeighbourBell;
let hasQueued = false;
let heard: Heard[] = [];
beforeAll(async () => {
  db = await createTestDatabase();
  here = createNeighbourBell({ db, log, events, hasQueued: () => hasQueued, onHeard: () => {} });
  there = createNeighbourBell({
    ...{ db, log, events: createRunEventBus(), hasQueued: () => false },
    onHeard: (note) => heard.push(note),
  });
  await there.loop.turn();
});
beforeEach(() => {
  heard = [];
  hasQueued = false;
});
afterAll(async () => {
  await here.stop();
  await there.stop();
  await db.drop();
});

const nothing: Heard = { runIds: [], stopping: [], loops: [], hasQueued: false };

test('a change that concerns one run only says no more', async () => {
  events.publish(7);

  await expect.poll(() => heard).toEqual([{ ...nothing, runIds: [7] }]);
});

test('stops, loops and attempts that wait are told with the run', async () => {
  hasQueued = true;
  events.publish(8);
  here.noteStopping('w1');
  here.noteLoop('admission');

  const note = { runIds: [8], stopping: ['w1'], loops: ['admission'], hasQueued: true };
  await expect.poll(() => heard).toEqual([note]);
});

test('more than fits into a note is told as "whichever"', async () => {
  for (let runId = 1_000_000_000_000_000; runId < 1_000_000_000_000_351; runId++) events.publish(runId);
  for (let worker = 0; worker < 16; worker++) here.noteStopping(`${worker}`.padStart(100, 'w'));

  await expect.poll(() => heard).toEqual([{ ...nothing, runIds: null, stopping: null }]);
});

test('the longest note that is told in full is one that PostgreSQL takes', async () => {
  for (let runId = 1_000_000_000_000_000; runId < 1_000_000_000_000_350; runId++) events.publish(runId);
  for (let worker = 0; worker < 15; worker++) here.noteStopping(`${worker}`.padStart(100, 'w'));
  here.noteLoop('admission');
  here.noteLoop('child-runs');

  await expect.poll(() => [heard[0]?.runIds?.length, heard[0]?.stopping?.length]).toEqual([350, 15]);
});

test('an older release, which does not say what it concerns, wakes everybody', async () => {
  await db.pool.query(`select pg_notify('headrace_runs', '{"from": "older", "ids": [9]}')`);

  await expect.poll(() => heard).toEqual([{ runIds: [9], stopping: null, loops: null, hasQueued: true }]);
});

test('whoever listens looks now and then whether something waits that nobody told of', async () => {
  await there.loop.turn();

  expect(heard).toEqual([{ ...nothing, hasQueued: true }]);
});

test('servers say who must stop, that a place is free, and what they leave to the workers of others', async () => {
  const working = await startTestEngine({ workerId: 'one' });
  const asked = await startTestEngine({ hasWorker: false, beside: working });
  try {
    const listener = await working.db.pool.connect();
    const notes: { stopping: string[]; loops: string[]; queued: boolean }[] = [];
    listener.on('notification', ({ payload }) => notes.push(JSON.parse(payload ?? '')));
    await listener.query('listen headrace_runs');
    const { job_id } = await asked.client.jobsCreate({
      name: 'told',
      tasks: [fakeTask('t', { fake: { kind: 'hang' } })],
    });
    const { run_id } = await asked.client.jobsRunNow({ job_id });
    await asked.waitFor('the task to run', async () => {
      const { tasks } = await asked.client.runsGet({ run_id });
      return tasks?.[0]?.state.life_cycle_state === 'RUNNING';
    });

    await asked.client.runsCancel({ run_id });
    await asked.waitForEnd(run_id);

    await expect.poll(() => notes.some(({ queued }) => queued)).toBe(true);
    await expect.poll(() => notes.flatMap(({ stopping }) => stopping)).toContain('one');
    await expect.poll(() => notes.flatMap(({ loops }) => loops)).toContain('admission');
    listener.release(true);
  } finally {
    await asked.close();
    await working.close();
  }
});
