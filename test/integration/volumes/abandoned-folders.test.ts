/** What a CREATE TABLE leaves that is killed between its files and the table's name. */
import fs from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadTaskTokenKey, mintTaskToken } from '../../../packages/server/src/attempts/task-token.ts';
import { createAbandonedFoldersLoop } from '../../../packages/server/src/catalogs/abandoned-folders-loop.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ backend: null });
});
afterAll(() => server.dispose());

const named = { catalog_name: 'dev', schema_name: 'default', table_type: 'MANAGED' as const };
const hourMs = 3_600_000;

/** The folder that a task has chosen and written to. */
async function writeAs(token: string, name: string): Promise<string> {
  const body = JSON.stringify({ full_name: `dev.default.${name}` });
  const response = await server.send('POST', '/api/headrace/table-locations', { token, body });
  const { location } = (await response.json()) as { location: string };
  await fs.mkdir(location, { recursive: true });
  await fs.writeFile(path.join(location, 'part'), name);
  return location;
}

async function runTask(): Promise<{ token: string; end: () => Promise<void> }> {
  const { db } = server.services;
  const { run_id } = await server.client.runsSubmit({
    tasks: [{ task_key: 'a', notebook_task: { notebook_path: '/Shared/x' } }],
  });
  const { rows } = await db.pool.query(
    `update task_runs set state = 'running', claim_epoch = 1 where run_id = $1 returning attempt_id`,
    [run_id],
  );
  const attemptId = Number(rows[0]?.attempt_id);
  const { rows: owners } = await db.pool.query('select id from principals order by id limit 1');
  const expiresAtS = Math.round(Date.now() / 1000) + 600;
  const claims = { attemptId, epoch: 1, principalId: Number(owners[0]?.id), expiresAtS };
  const token = mintTaskToken(await loadTaskTokenKey(db), claims);
  const end = async () => {
    await db.pool.query(`update task_runs set state = 'ended', ended_at_ms = $2 where attempt_id = $1`, [
      ...[attemptId, Date.now()],
    ]);
  };
  return { token, end };
}

async function turnAfter(ms: number): Promise<void> {
  const clock = { ...server.services.clock, nowMs: () => Date.now() + ms };
  await createAbandonedFoldersLoop({ ...server.services, clock }).turn();
}

const exists = (file: string) =>
  fs.access(file).then(
    () => true,
    () => false,
  );

test('files without a name go when their task has ended, and not before', async () => {
  const task = await runTask();
  const [killed, finished] = [await writeAs(task.token, 'killed'), await writeAs(task.token, 'finished')];
  await server.client.tablesCreate({ ...named, name: 'finished', storage_location: finished });

  await turnAfter(30 * 24 * hourMs);
  expect(await exists(killed)).toBe(true);
  await task.end();
  await turnAfter(0);
  expect(await exists(killed)).toBe(true);
  await turnAfter(hourMs);

  expect([await exists(killed), await exists(finished)]).toEqual([false, true]);
});

test('files of other clients wait for two weeks', async () => {
  const { location } = await server.client.tableLocationsCreate({ full_name: 'dev.default.stranger' });
  await fs.mkdir(location, { recursive: true });

  await turnAfter(13 * 24 * hourMs);
  expect(await exists(location)).toBe(true);
  await turnAfter(15 * 24 * hourMs);

  expect(await exists(location)).toBe(false);
});

test('a table cannot take files that are being removed', async () => {
  const task = await runTask();
  const location = await writeAs(task.token, 'late');
  await server.services.db.pool.query(
    'insert into folders_to_delete (folder, requested_at_ms) values ($1, 1)',
    [location.slice(location.indexOf('managed/'))],
  );

  const creation = server.client.tablesCreate({ ...named, name: 'late', storage_location: location });

  await expect(creation).rejects.toMatchObject({ code: 'INVALID_STATE' });
  expect(await server.client.tablesExists({ full_name: 'dev.default.late' })).toEqual({
    table_exists: false,
  });
});
