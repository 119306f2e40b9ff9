import http from 'node:http';
import type { AddressInfo } from 'node:net';
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
  await expect
    .poll(async () => {
      const { rows } = await server.database.pool.query<{ status: number }>(
        `select status from audit_events where action = 'server.metrics'`,
      );
      return rows.map(({ status }) => status);
    })
    .toEqual([401]); // Not the many that were answered.
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

test('a collector is sent the same measures, each bucket of a histogram by itself', async () => {
  const bodies: OtlpBody[] = [];
  const collector = http.createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    bodies.push(JSON.parse(Buffer.concat(chunks).toString('utf8')) as OtlpBody);
    response.writeHead(request.url === '/otel/v1/metrics' ? 200 : 404).end('{}');
  });
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
  const { port } = collector.address() as AddressInfo;
  const sending = await startTestServer({ config: { otlpUrl: `http://127.0.0.1:${port}/otel` } });
  try {
    await expect.poll(() => bodies.length, { timeout: 10_000 }).toBeGreaterThan(0);
    const status = await sending.client.status({});
    expect(status.loops.find(({ name }) => name === 'otlp')?.last_error).toBeNull();
  } finally {
    await sending.dispose();
    collector.close();
  }

  const metrics = bodies[0]?.resourceMetrics[0]?.scopeMetrics[0]?.metrics ?? [];
  const named = (name: string) => metrics.find((metric) => metric.name === name);
  expect(named('headrace_database_up')?.gauge?.dataPoints[0]?.asDouble).toBe(1);
  expect(named('headrace_loop_turns_total')?.sum).toMatchObject({
    isMonotonic: true,
    aggregationTemporality: 2,
  });
  const [saves] = named('headrace_save_seconds')?.histogram?.dataPoints ?? [];
  expect(saves?.bucketCounts).toHaveLength((saves?.explicitBounds.length ?? 0) + 1);
  const total = saves?.bucketCounts.reduce((sum, bucket) => sum + Number(bucket), 0);
  expect(String(total)).toBe(saves?.count);
});

interface OtlpPoints {
  readonly dataPoints: readonly {
    readonly asDouble: number;
    readonly count: string;
    readonly bucketCounts: readonly string[];
    readonly explicitBounds: readonly number[];
  }[];
}
interface OtlpBody {
  readonly resourceMetrics: readonly {
    readonly scopeMetrics: readonly {
      readonly metrics: readonly ({ readonly name: string } & Record<
        'gauge' | 'sum' | 'histogram',
        OtlpPoints | undefined
      >)[];
    }[];
  }[];
}
