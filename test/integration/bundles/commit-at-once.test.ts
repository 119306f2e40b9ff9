/** Commits of a deployment that meet each other, or somebody who writes to the same files. */
import { beforeAll, expect, test } from 'vitest';
import { commitVersion } from '../../../packages/server/src/bundles/commit-version.ts';
import { createPlacementLoop } from '../../../packages/server/src/bundles/settle-placement.ts';
import type { RunServices } from '../../../packages/server/src/runs/create-run.ts';
import { waitUntil } from '../../support/census.ts';
import { root } from './deployment.ts';
import { aRequest, bring, holdLock, type ServerParts, startServerParts, toCommit } from './server-parts.ts';

let parts: ServerParts;
beforeAll(async () => {
  parts = await startServerParts();
  return parts.dispose;
});

/** Something that waits there until it is opened. */
function aGate() {
  const { promise: opened, resolve: open } = Promise.withResolvers<void>();
  const { promise: reached, resolve: reach } = Promise.withResolvers<void>();
  const pass = () => {
    reach();
    return opened;
  };
  return { pass, open, reached };
}

type Blobs = RunServices['blobs'];
const withBlobs = (change: (blobs: Blobs) => Partial<Blobs>): RunServices => {
  const { services } = parts;
  return { ...services, blobs: { ...services.blobs, ...change(services.blobs) } };
};

async function isAnybodyWaiting(): Promise<boolean> {
  const { rows } = await parts.database.pool.query(
    `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
  );
  return rows.length > 0;
}

async function aCommit(files: Readonly<Record<string, string>>) {
  const { services } = parts;
  const under = await holdLock(services);
  await bring(services, under, files);
  const commit = toCommit(under, `request-${services.ids.newId()}`, files);
  const send = (by: RunServices) => commitVersion(by, commit, aRequest(services));
  return { under, send };
}

const placed = { 'a.py': 'a', 'b.py': 'b' };

test('a request that comes again while it is under way is done once', async () => {
  const { send } = await aCommit({ ...placed, 'more.py': '1' });
  const gate = aGate();
  const slow = withBlobs((blobs) => ({
    rename: (from, to) => gate.pass().then(() => blobs.rename(from, to)),
  }));

  const first = send(slow);
  await gate.reached;
  const again = send(parts.services);
  await waitUntil('it waits for the first', isAnybodyWaiting);
  gate.open();

  expect(await again).toEqual(await first);
});

test('of two that come to put files in place, one is told to come again, and leaves nothing', async () => {
  const { send, under } = await aCommit({ ...placed, 'more.py': '2' });
  const staging = aGate();
  const noted = aGate();
  const late = withBlobs((blobs) => ({
    put: (key, content) => staging.pass().then(() => blobs.put(key, content)),
  }));
  const { services } = parts;
  const { db } = services;
  const early = {
    ...services,
    db: {
      ...db,
      transaction: (async (work) => noted.pass().then(() => db.transaction(work))) as typeof db.transaction,
    },
  };

  const second = send(late);
  await staging.reached;
  const first = send(early);
  await noted.reached;
  staging.open();
  await expect(second).rejects.toMatchObject({ code: 'TEMPORARILY_UNAVAILABLE' });
  noted.open();

  const done = await first;
  expect(await send(services)).toEqual(done);
  expect(await services.blobs.list(`bundles/${under.deployment_id}/before`)).toEqual([]);
});

test('what somebody writes while files are put back stays', async () => {
  const { services, database } = parts;
  const before = await aCommit({ 'a.py': 'old' });
  await before.send(services);
  const { send } = await aCommit({ 'a.py': 'new' });
  const gate = aGate();
  const dying = withBlobs((blobs) => ({
    rename: async (from, to) => {
      await blobs.rename(from, to);
      throw new Error('the server is dead');
    },
    get: (key) => (key.includes('/before/') ? Promise.reject(new Error('and dead')) : blobs.get(key)),
  }));
  await expect(send(dying)).rejects.toThrow('the server is dead');

  const path = `${root}/files/a.py`;
  const writing = database.transaction(async (client) => {
    await client.query({
      name: 'write',
      text: 'update workspace_objects set modified_at_ms = modified_at_ms + 1 where path = $1',
      values: [path],
    });
    await services.blobs.put(`workspace${path}`, Buffer.from('theirs'));
    await gate.pass();
  });
  await gate.reached;
  let isTurned = false;
  const turn = createPlacementLoop(services)
    .turn()
    .finally(() => {
      isTurned = true;
    });
  await waitUntil('it waits, or is done', async () => isTurned || (await isAnybodyWaiting()));
  gate.open();
  await Promise.all([writing, turn]);

  expect((await services.blobs.get(`workspace${path}`))?.toString()).toBe('theirs');
});

test('deployments that cannot be put back hold up no other', async () => {
  const { services, database } = parts;
  const left = async () => (await database.pool.query('select deployment_id from bundle_placements')).rows;
  const note = (target: string) =>
    holdLock(services, { target }).then(({ deployment_id: id }) =>
      database.pool.query('insert into bundle_placements values ($1, $1, $1, $2)', [
        id,
        JSON.stringify([{ path: `${root}/${target}`, before: null }]),
      ]),
    );
  for (let count = 0; count < 20; count += 1) await note(`stuck-${count}`);
  await note('other');
  const failing = withBlobs((blobs) => ({
    deletePrefix: (key) =>
      key.includes('/stuck-') ? Promise.reject(new Error('it cannot be')) : blobs.deletePrefix(key),
  }));
  const loop = createPlacementLoop(failing);

  expect(await loop.turn()).toBe('again');
  await expect(loop.turn()).rejects.toThrow('20 deployments cannot be put back');

  expect(await left()).toHaveLength(20);
  await createPlacementLoop(services).turn();
  await createPlacementLoop(services).turn();
  expect(await left()).toEqual([]);
});
