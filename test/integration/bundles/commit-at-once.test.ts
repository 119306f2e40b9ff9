/** Commits of a deployment that meet each other, or somebody who writes to the same files. */
import { beforeAll, expect, test } from 'vitest';
import { commitVersion } from '../../../packages/server/src/bundles/commit-version.ts';
import type { RunServices } from '../../../packages/server/src/runs/create-run.ts';
import { waitUntil } from '../../support/census.ts';
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

  expect(await send(services)).toEqual(await first);
  expect(await services.blobs.list(`bundles/${under.deployment_id}/before`)).toEqual([]);
});
