import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { fakeTask } from '../runs/engine.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ config: { slots: 1, metricsOpen: true } });
});
afterAll(() => server.dispose());

async function measure(): Promise<Map<string, number>> {
  const response = await server.send('GET', '/metrics');
  expect(response.headers.get('content-type')).toContain('text/plain; version=0.0.4');
  const lines = (await response.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(lines.map((line) => [line.replace(/ \S+$/, ''), Number(line.replace(/^.* /, ''))]));
}

test('runs, attempts, saves and loops are measured as they are', async () => {
  for (const kind of ['succeed', 'fail']) {
    const { run_id } = await server.client.runsSubmit({
      run_name: kind,
      tasks: [fakeTask('a', { fake: { kind } })],
    });
    await expect
      .poll(async () => (await server.client.runsGet({ run_id })).status.state, { timeout: 10_000 })
      .toBe('TERMINATED');
  }
  const hanging = [fakeTask('wait', { fake: { kind: 'hang' } })];
  await server.client.runsSubmit({ run_name: 'running', tasks: hanging });
  await server.client.runsSubmit({ run_name: 'waiting', tasks: hanging });
  await expect.poll(async () => (await measure()).get('headrace_attempts{state="running"}')).toBe(1);

  const measures = await measure();

  expect(Object.fromEntries(measures)).toMatchObject({
    headrace_database_up: 1,
    'headrace_runs{state="running"}': 2,
    'headrace_runs{state="queued"}': 0,
    'headrace_attempts{state="queued"}': 1,
    'headrace_runs_ended_total{result="succeeded"}': 1,
    'headrace_runs_ended_total{result="failed"}': 1,
    'headrace_attempts_ended_total{result="succeeded"}': 1,
    'headrace_attempts_ended_total{result="failed"}': 1,
    headrace_lease_losses_total: 0,
    'headrace_loop_failures_total{loop="wake"}': 0,
    'headrace_doctor_findings{severity="error"}': 0,
  });
  expect(measures.get('headrace_queue_age_seconds{queue="attempts"}')).toBeGreaterThan(0);
  expect(measures.get('headrace_save_seconds_count')).toBeGreaterThan(5);
  expect(measures.get('headrace_loop_turns_total{loop="wake"}')).toBeGreaterThan(0);
  expect(measures.get('headrace_loop_lag_seconds{loop="wake"}')).toBeLessThan(5);
  for (const name of ['nodejs_eventloop_lag_seconds', 'process_resident_memory_bytes'])
    expect(measures.get(name)).toBeGreaterThan(0);
});

test('processes of this machine need no token where that is allowed, but what a proxy forwards does', async () => {
  const own = await server.send('GET', '/metrics', { token: null });
  const forwarded = await server.send('GET', '/metrics', {
    token: null,
    headers: { 'x-forwarded-for': '192.0.2.7' },
  });
  const other = await server.send('GET', '/api/headrace/status', { token: null });

  expect([own.status, forwarded.status, other.status]).toEqual([200, 401, 401]);
});

test('by default every reader needs a token', async () => {
  const closed = await startTestServer({ backend: null });
  try {
    expect((await closed.send('GET', '/metrics', { token: null })).status).toBe(401);
    expect((await closed.send('GET', '/metrics')).status).toBe(200);
  } finally {
    await closed.dispose();
  }
});
