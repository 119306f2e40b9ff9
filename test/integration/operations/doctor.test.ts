import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { fakeTask } from '../runs/engine.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ config: { slots: 64 } });
});
afterAll(() => server.dispose());

/** Each test breaks a run of its own; what it broke goes before the next. */
beforeEach(async () => {
  for (const table of ['task_runs', 'run_generations', 'runs'])
    await server.database.pool.query(`delete from ${table}`);
});

async function submitHanging(tasks = [fakeTask('load', { fake: { kind: 'hang' } })]): Promise<number> {
  const { run_id } = await server.client.runsSubmit({ run_name: 'watched', tasks });
  await expect
    .poll(async () => (await server.client.runsGet({ run_id })).tasks?.[0]?.state.life_cycle_state)
    .toBe('RUNNING');
  return run_id;
}

async function spoil(sql: string, ...values: unknown[]): Promise<void> {
  await server.database.pool.query(sql, values);
}

async function kindsFound(deep = false): Promise<string[]> {
  const report = await server.client.doctor({ deep });
  return report.findings.map(({ kind }) => kind).filter((kind) => kind !== 'disk_space');
}

test('a server whose runs are all well finds nothing, at depth too', async () => {
  const tasks = [fakeTask('a', { fake: { kind: 'hang' } }), fakeTask('b', { after: ['a'] })];
  await submitHanging(tasks);

  const report = await server.client.doctor({ deep: true });

  expect(report.findings.filter(({ kind }) => kind !== 'disk_space')).toEqual([]);
  expect(report.checks.map(({ kind }) => kind)).toContain('run_invariants');
  expect(report.checks.length).toBeGreaterThanOrEqual(13);
});

test('an attempt that a missing worker holds is told with its history and what to do', async () => {
  const runId = await submitHanging();
  await spoil(`update task_runs set worker_id = 'ghost' where run_id = $1`, runId);

  const { findings } = await server.client.doctor({});
  const finding = findings.find(({ kind }) => kind === 'attempt_unattended');

  expect(finding).toMatchObject({ severity: 'error', run_id: runId, task_key: 'load', worker_id: 'ghost' });
  expect(finding?.message).toContain('is not known');
  expect(finding?.advice).toMatch(/\.$/);
  expect(finding?.history.map(({ kind }) => kind)).toEqual(
    ['run_running', 'attempt_queued', 'attempt_claimed', 'attempt_running'].filter((kind) =>
      finding?.history.some((event) => event.kind === kind),
    ),
  );
  expect(finding?.history.at(-1)?.kind).toBe('attempt_running');
});

test.each([
  [
    'run_without_next_step',
    'a running run with nothing to do',
    `with t as (update task_runs set state = 'blocked' where run_id = $1)
     update runs set created_at_ms = 0, wake_at_ms = null where run_id = $1`,
  ],
  [
    'live_attempt_of_ended_run',
    'a running attempt of an ended run',
    `update runs set phase = 'ended' where run_id = $1`,
  ],
  ['live_attempt_of_ended_run', 'an attempt without its run', 'delete from runs where run_id = $1'],
  [
    'memory_ahead_of_store',
    'a store that went back',
    'update runs set version = version - 1 where run_id = $1',
  ],
  [
    'child_link_broken',
    'a task that waits for a run which is not there',
    `update task_runs set state = 'running_parts', child_run_id = 77 where run_id = $1`,
  ],
  [
    'child_link_broken',
    'a run of a task which is not there',
    `update runs set parent_attempt_id = 77, parent_run_id = 76 where run_id = $1`,
  ],
  [
    'worker_over_its_slots',
    'a worker with more than it has slots for',
    `insert into workers select 'small', backend, 0, is_local, 0, heartbeat_at_ms + 1000000, lease_expires_at_ms + 1000000
     from workers where $1 > 0 limit 1;`,
  ],
])('%s: %s is found', async (kind, _, sql) => {
  const runId = await submitHanging();
  await spoil(sql, runId);
  if (kind === 'worker_over_its_slots')
    await spoil(`update task_runs set worker_id = 'small' where run_id = $1`, runId);

  expect(await kindsFound()).toContain(kind);

  await spoil(`delete from workers where worker_id = 'small'`);
});

test('a run whose parts contradict each other is found at depth only', async () => {
  const runId = await submitHanging([
    fakeTask('a', { fake: { kind: 'hang' } }),
    fakeTask('b', { after: ['a'] }),
  ]);
  await spoil(
    `update task_runs set state = 'queued', queued_at_ms = $2 where run_id = $1 and task_key = 'b'`,
    runId,
    Date.now(),
  );
  await spoil(
    `update task_runs set worker_id = (select worker_id from workers limit 1) where run_id = $1`,
    runId,
  );

  expect(await kindsFound()).not.toContain('run_invariants');
  expect(await kindsFound(true)).toContain('run_invariants');
});
