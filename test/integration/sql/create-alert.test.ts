/** `CREATE ALERT` as a statement, with an endpoint that the test plays. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { becomeEndpoint, type FakeEndpoint } from './fake-endpoint.ts';

let server: TestServer;
let endpoint: FakeEndpoint;

beforeAll(async () => {
  server = await startTestServer();
  await submit('select 0');
  endpoint = await becomeEndpoint(server);
  const { statements } = await endpoint.poll();
  await endpoint.succeed(statements[0]?.statement_id ?? '', [['0']]);
}, 60_000);
afterAll(() => server?.dispose());

function submit(statement: string, more: object = {}) {
  return server.client.statementsExecute({ statement, wait_timeout: '0s', ...more });
}

/** What Spark says of a query that it could analyse. */
async function describe(statement_id: string): Promise<void> {
  const content = Buffer.from('[["a","int",null]]').toString('base64');
  const column = { position: 0, precision: null, scale: null, interval_type: null, nullable: true };
  await endpoint.client.sqlEndpointDeliver({
    ...{ statement_id, state: 'SUCCEEDED', timings: {} },
    result: {
      columns: [{ name: 'col_name', type_text: 'STRING', type_name: 'STRING', ...column }],
      ...{ arrow_schema: '', total_rows: 1, total_bytes: 18, truncated: false },
      chunks: [{ row_count: 1, byte_count: 18, content }],
    },
  });
}

async function namesOfAlerts(): Promise<string[]> {
  const { alerts } = await server.client.textAlertsList({});
  return alerts.map(({ display_name }) => display_name);
}

test('a query that can be analysed becomes an alert that is triggered by rows', async () => {
  const { statement_id } = await submit("CREATE ALERT fresh ON SCHEDULE '0 */6 * * *' AS select 1 as a;", {
    catalog: 'main',
  });

  const { statements } = await endpoint.poll();
  expect(statements[0]?.statement).toMatch(/^DESC {3}QUERY +select 1 as a;$/);
  expect(await namesOfAlerts()).not.toContain('fresh');
  await describe(statement_id);
  await describe(statement_id);

  expect((await server.client.statementsGet({ statement_id })).status.state).toBe('SUCCEEDED');
  const { alerts } = await server.client.textAlertsList({});
  expect(alerts).toMatchObject([
    {
      ...{ display_name: 'fresh', query_text: 'select 1 as a', headrace: { catalog: 'main', schema: null } },
      schedule: { quartz_cron_schedule: '0 0 */6 * * ?', timezone_id: 'UTC', pause_status: 'UNPAUSED' },
      evaluation: {
        source: { name: '*', aggregation: 'COUNT' },
        ...{ comparison_operator: 'GREATER_THAN', empty_result_state: 'OK', state: 'UNKNOWN' },
      },
    },
  ]);
});

test('a query that cannot be analysed makes none', async () => {
  const { statement_id } = await submit("create alert bad on schedule '0 9 * * *' as select nope");
  await endpoint.poll();

  await endpoint.end(statement_id, 'FAILED', 'no such column');

  expect((await server.client.statementsGet({ statement_id })).status).toMatchObject({ state: 'FAILED' });
  expect(await namesOfAlerts()).not.toContain('bad');
});

test.each([
  [
    "create alert x on schedule '61 * * * *' as select 1",
    'INVALID_PARAMETER_VALUE',
    "'61' is not within 0–59",
  ],
  [
    "create alert fresh on schedule '0 9 * * *' as select 1",
    'RESOURCE_ALREADY_EXISTS',
    "named 'fresh' already",
  ],
  ['create alert x as select 1', 'INVALID_PARAMETER_VALUE', 'CREATE ALERT name ON SCHEDULE'],
])('what needs no warehouse is refused at once: %s', async (statement, code, message) => {
  await expect(submit(statement)).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
});

test('of two that take a name at once one fails, and says so', async () => {
  const text = "create alert both on schedule '0 9 * * *' as select 1";
  const made = [await submit(text), await submit(text)].map(({ statement_id }) => statement_id);
  await endpoint.poll();

  for (const statement_id of made) await describe(statement_id);

  const shown = await Promise.all(made.map((statement_id) => server.client.statementsGet({ statement_id })));
  expect(shown.map(({ status }) => status.state)).toEqual(['SUCCEEDED', 'FAILED']);
  expect(shown[1]?.status).toMatchObject({ sql_state: '42710' });
  expect((await namesOfAlerts()).filter((name) => name === 'both')).toHaveLength(1);
});
