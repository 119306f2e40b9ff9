/**
 * What a warehouse lives through besides kills under its writers: limits of time, cancels, an endpoint that dies with a queue,
 * sessions that expire, idleness, and two servers. Each case throws when it is not as docs/warehouses.md says.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '@headrace/api';
import pg from 'pg';
import { waitUntil } from '../../test/support/census.ts';
import { listProcesses } from '../chaos/processes.ts';
import type { TwoServers } from './two-servers.ts';
import { findVictim } from './victims.ts';

type StatementDocument = Awaited<ReturnType<Client['statementsGet']>>;

/** Its rows would take days. */
const endless = "select count(*) from range(1000000000000) where hash(id, 'x') = 1";
const patienceMs = 240_000;
const atOnceMax = 10;

export interface Life {
  readonly name: string;
  readonly play: (servers: TwoServers, warehouseId: string) => Promise<void>;
}

export const lives: readonly Life[] = [
  {
    name: 'a statement sent to one server is read at the other',
    async play({ whole, doors }, warehouse_id) {
      const there = await begin(doors, "select 'there'", { warehouse_id });
      assert.deepEqual((await ended(whole, there)).result?.data_array, [['there']]);
      const here = await begin(whole, "select 'here'", { warehouse_id });
      assert.deepEqual((await ended(doors, here)).result?.data_array, [['here']]);
    },
  },
  {
    name: 'a session that is opened at one server goes on at the other',
    async play({ whole, doors }, warehouse_id) {
      const { session_id } = await doors.sqlSessionsCreate({ warehouse_id });
      const more = { warehouse_id, session_id };
      await succeeded(whole, await begin(whole, 'create temporary view mine as select 7 as a', more));
      const read = await succeeded(doors, await begin(doors, 'select a from mine', more));
      assert.deepEqual(read.result?.data_array, [['7']]);
      await whole.sqlSessionsDelete({ session_id });
      await assert.rejects(begin(doors, 'select 1', more), /does not exist/);
    },
  },
  {
    name: 'a cancel at the other server ends the Spark tasks of a statement, and of no other',
    async play({ whole, doors, stateDir }, warehouse_id) {
      const id = await begin(whole, endless, { warehouse_id });
      const jvm = findVictim(stateDir, 'jvm');
      await waitUntil('its tasks run', () => isBusy(jvm), patienceMs);
      await doors.statementsCancel({ statement_id: id });
      assert.equal((await ended(doors, id)).status.state, 'CANCELED');
      await waitUntil('no task runs', async () => !(await isBusy(jvm)), patienceMs);
    },
  },
  {
    name: 'the waiting time of a statement that is to be cancelled then ends it',
    async play({ doors, stateDir }, warehouse_id) {
      const more = { warehouse_id, wait_timeout: '5s', on_wait_timeout: 'CANCEL' } as const;
      const id = await begin(doors, endless, more);
      assert.equal((await ended(doors, id)).status.state, 'CANCELED');
      const jvm = findVictim(stateDir, 'jvm');
      await waitUntil('no task runs', async () => !(await isBusy(jvm)), patienceMs);
    },
  },
  {
    name: 'the limit of a session ends its statement, and the session goes on',
    async play({ whole, stateDir }, warehouse_id) {
      const { session_id } = await whole.sqlSessionsCreate({
        warehouse_id,
        session_confs: { STATEMENT_TIMEOUT: '2' },
      });
      const more = { warehouse_id, session_id };
      const { status } = await ended(whole, await begin(whole, endless, more));
      assert.equal(status.state, 'FAILED');
      assert.match(status.error?.message ?? '', /longer than its limit of 2 s/);
      assert.equal(status.sql_state, '57014');
      await succeeded(whole, await begin(whole, 'select 1', more));
      const jvm = findVictim(stateDir, 'jvm');
      await waitUntil('no task runs', async () => !(await isBusy(jvm)), patienceMs);
    },
  },
  {
    name: 'the limit of a warehouse ends a statement that writes, and nothing of it is there',
    async play({ whole }, id) {
      await whole.warehousesEdit({ id, statement_timeout: 3 });
      const { status } = await ended(
        whole,
        await begin(whole, `create table main.default.late as ${endless.replace('count(*)', 'id')}`, {
          warehouse_id: id,
        }),
      );
      await whole.warehousesEdit({ id, statement_timeout: 0 });
      assert.match(status.error?.message ?? '', /longer than its limit of 3 s/);
      const read = await ended(
        whole,
        await begin(whole, 'select * from main.default.late', { warehouse_id: id }),
      );
      assert.match(read.status.error?.message ?? '', /TABLE_OR_VIEW_NOT_FOUND/);
    },
  },
  {
    name: 'what runs fails with its endpoint, what waits runs on the next one',
    async play({ whole, stateDir }, warehouse_id) {
      const running = await Promise.all(
        Array.from({ length: atOnceMax }, () => begin(whole, endless, { warehouse_id })),
      );
      const isRunning = async (id: string) =>
        (await whole.statementsGet({ statement_id: id })).status.state === 'RUNNING';
      await waitUntil(
        'all run',
        async () => (await Promise.all(running.map(isRunning))).every(Boolean),
        patienceMs,
      );
      const waiting = await Promise.all(
        [1, 2, 3].map((value) => begin(whole, `select ${value}`, { warehouse_id })),
      );
      process.kill(findVictim(stateDir, 'endpoint'), 'SIGKILL');
      for (const id of running) {
        const { status } = await ended(whole, id);
        assert.equal(status.state, 'FAILED');
        assert.match(status.error?.message ?? '', /killed from outside.*it is not run again/);
      }
      const values = await Promise.all(
        waiting.map(async (id) => (await succeeded(whole, id)).result?.data_array),
      );
      assert.deepEqual(values, [[['1']], [['2']], [['3']]]);
      const jvm = findVictim(stateDir, 'jvm');
      await waitUntil('no task of the dead runs', async () => !(await isBusy(jvm)), patienceMs);
    },
  },
  {
    name: 'a server that dies under a statement leaves it running, and the other one tells its end',
    async play({ doors, restartWhole }, warehouse_id) {
      const slow = "select count(*) from range(20000000) where hash(id, 'x') = 1";
      const id = await begin(doors, slow, { warehouse_id });
      await restartWhole();
      await succeeded(doors, id);
    },
  },
  {
    name: 'a session that nobody has used for too long is over',
    async play({ whole, postgresUrl }, warehouse_id) {
      const { session_id } = await whole.sqlSessionsCreate({ warehouse_id });
      const more = { warehouse_id, session_id };
      await succeeded(whole, await begin(whole, 'create temporary view mine as select 1 as a', more));
      const long = 9 * 60 * 60_000;
      await change(postgresUrl, 'update sql_sessions set used_at_ms = used_at_ms - $1', [long]);
      // The loop looks once a minute.
      const text = 'select 1 from sql_sessions where session_id = $1';
      const isGone = async () => (await change(postgresUrl, text, [session_id])) === 0;
      await waitUntil('it is closed', isGone, patienceMs);
      await assert.rejects(begin(whole, 'select 1', more), /idle for too long/);
    },
  },
  {
    name: 'an idle warehouse stops with its driver, and the next statement starts it again',
    async play({ doors, stateDir }, id) {
      await doors.warehousesEdit({ id, auto_stop_mins: 1 });
      const stateOf = async () => (await doors.warehousesGet({ id })).state;
      await waitUntil('it has stopped', async () => (await stateOf()) === 'STOPPED', patienceMs);
      const drivers = () => listProcesses(stateDir).filter(({ command }) => command.includes('/bin/java'));
      await waitUntil('its driver is gone', async () => drivers().length === 0, patienceMs);
      const again = await succeeded(doors, await begin(doors, 'select 1', { warehouse_id: id }));
      assert.deepEqual(again.result?.data_array, [['1']]);
      assert.equal(await stateOf(), 'RUNNING');
    },
  },
];

async function begin(client: Client, statement: string, more: object): Promise<string> {
  return (await client.statementsExecute({ statement, wait_timeout: '0s', ...more })).statement_id;
}

async function ended(client: Client, statement_id: string): Promise<StatementDocument> {
  let found: StatementDocument | undefined;
  await waitUntil(
    `${statement_id} has ended`,
    async () => {
      found = await client.statementsGet({ statement_id }).catch(() => undefined);
      return !['PENDING', 'RUNNING', undefined].includes(found?.status.state);
    },
    patienceMs,
  );
  if (!found) throw new Error('bug: nothing was found');
  return found;
}

async function succeeded(client: Client, statementId: string): Promise<StatementDocument> {
  const found = await ended(client, statementId);
  assert.equal(found.status.state, 'SUCCEEDED', found.status.error?.message);
  return found;
}

/** How many rows it hit. */
async function change(url: string, text: string, values: readonly unknown[]): Promise<number> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rowCount } = await client.query(text, [...values]);
  await client.end();
  return rowCount ?? 0;
}

/** Whether the threads that run Spark's tasks use the processor; idle ones use nothing. */
async function isBusy(jvm: number): Promise<boolean> {
  const before = readTaskTicks(jvm);
  await delay(1_500);
  return readTaskTicks(jvm) - before > 1;
}

function readTaskTicks(pid: number): number {
  let ticks = 0;
  for (const thread of fs.readdirSync(`/proc/${pid}/task`)) {
    try {
      const text = fs.readFileSync(`/proc/${pid}/task/${thread}/stat`, 'latin1');
      // Linux keeps 15 characters of "Executor task launch worker".
      if (!text.includes('(Executor task l')) continue;
      const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
      ticks += Number(fields[11]) + Number(fields[12]);
    } catch {
      // It ended while we looked.
    }
  }
  return ticks;
}
