/** Alerts over the API, in both forms. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { addUser } from '../secrets/support.ts';

let server: TestServer;
let queryId: string;
beforeAll(async () => {
  server = await startTestServer({ backend: null });
  queryId = (await server.client.queriesCreate({ query: { display_name: 'q', query_text: 'select 1 as n' } }))
    .id;
});
afterAll(() => server.dispose());

const condition = {
  op: 'GREATER_THAN' as const,
  operand: { column: { name: 'n' } },
  threshold: { value: { double_value: 5 } },
  empty_result_state: 'OK' as const,
};
const textAlert = {
  query_text: 'select 1 as n',
  warehouse_id: 'wh-dev-01',
  evaluation: {
    source: { name: 'n', aggregation: 'SUM' as const },
    comparison_operator: 'GREATER_THAN' as const,
    threshold: { value: { double_value: 5 } },
    notification: { subscriptions: [{ user_email: 'ann@example.com' }] },
  },
  schedule: { quartz_cron_schedule: '0 0 9 * * ?', timezone_id: 'UTC' },
};

test('an alert on a saved query comes back as it was written, with a state that nothing is known of', async () => {
  const { client } = server;

  const alert = { display_name: 'high', query_id: queryId, condition, custom_subject: 's', colour: 3 };
  const made = await client.alertsCreate({ alert: { ...alert, parent_path: '/Users/ada/' } });

  expect(made).toMatchObject({
    ...{ ...alert, parent_path: '/Workspace/Users/ada', lifecycle_state: 'ACTIVE', state: 'UNKNOWN' },
    create_time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
  });
  expect(await client.alertsGet({ id: made.id })).toEqual(made);
  await expect(client.textAlertsGet({ id: made.id })).rejects.toMatchObject({
    code: 'RESOURCE_DOES_NOT_EXIST',
  });
});

test('an alert with a query of its own comes back as it was written', async () => {
  const { client } = server;

  const made = await client.textAlertsCreate({ display_name: 'own', ...textAlert });

  expect(made).toMatchObject({
    ...{ ...textAlert, display_name: 'own', lifecycle_state: 'ACTIVE' },
    evaluation: { ...textAlert.evaluation, state: 'UNKNOWN' },
    effective_run_as: { user_name: made.owner_user_name },
  });
  // As clients send back what they have read.
  const { id, ...read } = made;
  const again = await client.textAlertsUpdate({ ...read, id, update_mask: '*' });
  expect({ ...again, update_time: '' }).toEqual({ ...made, update_time: '' });
});

test('a mask names what changes, also within a field, and clears what is not given', async () => {
  const { client } = server;
  const { id } = await client.textAlertsCreate({ display_name: 'mask', custom_summary: 'x', ...textAlert });

  const changed = await client.textAlertsUpdate({
    ...{ id, update_mask: 'evaluation.threshold,custom_summary,schedule.pause_status' },
    evaluation: {
      ...textAlert.evaluation,
      source: { name: 'other' },
      threshold: { value: { double_value: 9 } },
    },
    schedule: { ...textAlert.schedule, pause_status: 'PAUSED' },
  });

  expect(changed.evaluation).toMatchObject({
    source: { name: 'n' },
    threshold: { value: { double_value: 9 } },
  });
  expect(changed.schedule?.pause_status).toBe('PAUSED');
  expect(changed).not.toHaveProperty('custom_summary');
});

test('lists page through their own form, and leave out what is in the trash', async () => {
  const { client } = server;
  const made = [];
  for (const name of ['p1', 'p2', 'p3'])
    made.push(await client.alertsCreate({ alert: { display_name: name, query_id: queryId, condition } }));
  await client.alertsDelete({ id: made[1]?.id ?? '' });

  const first = await client.alertsList({ page_size: 1 });
  const second = await client.alertsList({ page_size: 1, page_token: first.next_page_token ?? '' });

  expect([...first.results, ...second.results].map(({ display_name }) => display_name)).toEqual(['p3', 'p1']);
  expect((await client.alertsGet({ id: made[1]?.id ?? '' })).lifecycle_state).toBe('TRASHED');
  expect((await client.textAlertsList({})).alerts.map(({ display_name }) => display_name)).not.toContain(
    'p3',
  );
});

test('a name is taken within its folder by alerts of both forms, until it is free again', async () => {
  const { client } = server;
  const { id } = await client.textAlertsCreate({ display_name: 'same', ...textAlert });
  const alert = { display_name: 'same', query_id: queryId, condition };

  await expect(client.alertsCreate({ alert })).rejects.toMatchObject({ code: 'RESOURCE_ALREADY_EXISTS' });
  const resolved = await client.alertsCreate({ alert, auto_resolve_display_name: true });
  await client.textAlertsTrash({ id, purge: true });

  expect(resolved.display_name).toBe('same (1)');
  await expect(client.textAlertsGet({ id })).rejects.toMatchObject({ code: 'RESOURCE_DOES_NOT_EXIST' });
  expect((await client.alertsCreate({ alert })).display_name).toBe('same');
});

test('only its owner and administrators change an alert', async () => {
  const { client: other } = await addUser(server, 'bob@example.com');
  const { id } = await server.client.alertsCreate({
    alert: { display_name: 'mine', query_id: queryId, condition },
  });

  await expect(other.alertsDelete({ id })).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
  await expect(
    other.alertsUpdate({ id, alert: { display_name: 'his' }, update_mask: 'display_name' }),
  ).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
  expect((await other.alertsGet({ id })).display_name).toBe('mine');
});

test.each([
  [{ query_id: undefined }, 'alert.query_id: is missing'],
  [{ condition: undefined }, 'alert.condition: is missing'],
  [{ condition: { ...condition, threshold: undefined } }, 'threshold.value: is missing'],
  [
    { condition: { ...condition, threshold: { value: { double_value: 1, bool_value: true } } } },
    'has several values (double_value, bool_value)',
  ],
])('an alert on a query without what it needs is refused: %j', async (change, message) => {
  const alert = { display_name: 'bad', query_id: queryId, condition, ...change };

  await expect(server.client.alertsCreate({ alert })).rejects.toThrow(message);
});

test.each([
  [{ query_text: ' ' }, 'query_text: is missing'],
  [{ schedule: { ...textAlert.schedule, quartz_cron_schedule: '0 61 * * * ?' } }, "'61' is not within 0–59"],
  [{ schedule: { ...textAlert.schedule, timezone_id: 'Mars' } }, 'schedule.timezone_id'],
  [{ evaluation: { ...textAlert.evaluation, source: { name: '*' } } }, 'goes with the aggregation COUNT'],
])('an alert with a query of its own without what it needs is refused: %j', async (change, message) => {
  const alert = { display_name: 'bad', ...textAlert, ...change };

  await expect(server.client.textAlertsCreate(alert)).rejects.toThrow(message);
});

test('nobody but the task that evaluates an alert says what came of it', async () => {
  const { id } = await server.client.textAlertsCreate({ display_name: 'work', ...textAlert });

  await expect(server.client.alertWorkReport({ id, value: 9 })).rejects.toMatchObject({
    code: 'PERMISSION_DENIED',
  });
  expect((await server.client.alertEventsList({ id })).events).toEqual([]);
});
