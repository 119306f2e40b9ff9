/** The server dies at every step of a commit: what is left is the version before or the one after, never a mixture. */
import fs from 'node:fs/promises';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { beforeAll, expect, test } from 'vitest';
import type { BlobStore } from '../../../packages/server/src/blobs/blob-store.ts';
import { commitVersion } from '../../../packages/server/src/bundles/commit-version.ts';
import { createPlacementLoop } from '../../../packages/server/src/bundles/settle-placement.ts';
import { showDeployment } from '../../../packages/server/src/bundles/show-deployments.ts';
import type { Database, Querier } from '../../../packages/server/src/db/connect.ts';
import type { RunServices } from '../../../packages/server/src/runs/create-run.ts';
import type { TestDatabase } from '../../support/database.ts';
import { aJob, root } from './deployment.ts';
import { aRequest, bring, holdLock, place, startServerParts, toCommit } from './server-parts.ts';

let database: TestDatabase;
let folder: string;
let services: RunServices;

beforeAll(async () => {
  const parts = await startServerParts();
  ({ database, folder, services } = parts);
  return parts.dispose;
});

/** A life of the server that ends at one of its steps: whatever it would still do is not done. */
class Life {
  readonly services: RunServices;
  #left: number;
  isDead = false;

  constructor(steps: number) {
    this.#left = steps;
    this.services = {
      ...services,
      db: this.#wrapDatabase(services.db),
      blobs: this.#wrapBlobs(services.blobs),
    };
  }

  async #step<T>(work: () => Promise<T>): Promise<T> {
    if (this.#left === 0) this.isDead = true;
    if (this.isDead) throw new Error('the server is dead');
    this.#left -= 1;
    return work();
  }

  #wrapQuerier = (db: Querier): Querier => ({ query: (query) => this.#step(() => db.query(query)) });

  #wrapDatabase = (db: Database): Database => ({
    ...db,
    ...this.#wrapQuerier(db),
    transaction: async (work) => {
      const done = await db.transaction((client) => work(this.#wrapQuerier(client)));
      // What it answered may be lost.
      return this.#step(async () => done);
    },
  });

  #wrapBlobs = (blobs: BlobStore): BlobStore => ({
    ...blobs,
    put: (key, content) => this.#step(() => blobs.put(key, content)),
    get: (key, range) => this.#step(() => blobs.get(key, range)),
    rename: (from, to) => this.#step(() => blobs.rename(from, to)),
    deletePrefix: (key) => this.#step(() => blobs.deletePrefix(key)),
  });
}

const before = {
  ...{ 'changed.py': 'old', 'gone/away.py': 'gone', 'kept.py': 'kept' },
  ...{ 'opens.py': 'a file', 'shuts.py/within.py': 'in a folder' },
};
const after = {
  ...{ 'changed.py': 'new', 'kept.py': 'kept', 'made/here.py': 'made' },
  ...{ 'opens.py/within.py': 'in a folder', 'shuts.py': 'a file' },
};

/** Everything that a reader can see of it. */
async function look() {
  const files: Record<string, string> = {};
  const rows = await database.pool.query(
    `select path, object_type, size_bytes from workspace_objects where path like $1 order by path`,
    [`${root}/files/%`],
  );
  for (const { path: object, object_type: type } of rows.rows) {
    if (type === 'DIRECTORY') continue;
    files[object.slice(`${root}/files/`.length)] = await fs.readFile(
      path.join(folder, 'workspace', object),
      'utf8',
    );
  }
  const top = path.join(folder, 'workspace', root, 'files');
  const onDisk = (await fs.readdir(top, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(top, path.join(entry.parentPath, entry.name)))
    .sort();
  const jobs = await database.pool.query(
    `select name, settings ->> 'timeout_seconds' as timeout from jobs where deleted_at_ms is null order by name`,
  );
  const { current_version } = await showDeployment(database, { ...place, include_jobs: false });
  return { files, onDisk, jobs: jobs.rows, version: current_version % 2 };
}

/** The version before: odd, with one job to be changed and one to go. */
async function deployBefore() {
  const under = await holdLock(services);
  await bring(services, under, before);
  const { current } = await showDeployment(database, { ...place, include_jobs: false });
  const old = (current?.resources ?? []).map(({ id }) => Number(id));
  const jobs = { resources: [aJob('changed'), aJob('gone')], delete_jobs: old };
  return commitVersion(
    services,
    toCommit(under, `before-${services.ids.newId()}`, before, jobs),
    aRequest(services),
  );
}

const seenBefore = {
  files: before,
  onDisk: Object.keys(before).sort(),
  jobs: [
    { name: 'changed', timeout: null },
    { name: 'gone', timeout: null },
  ],
  version: 1,
};
const seenAfter = {
  files: after,
  onDisk: Object.keys(after).sort(),
  jobs: [
    { name: 'changed', timeout: '9' },
    { name: 'made', timeout: null },
  ],
  version: 0,
};

/** Null when the life was longer than the commit. */
async function dieAt(steps: number): Promise<string | null> {
  const made = await deployBefore();
  const under = await holdLock(services);
  await bring(services, under, after);
  const changed = {
    ...aJob('changed', { timeout_seconds: 9 }),
    ...{ action: 'update', id: String(made.job_ids['jobs.changed']) },
  };
  const jobs = { resources: [changed, aJob('made')], delete_jobs: [made.job_ids['jobs.gone']] };
  const request = `after-${services.ids.newId()}`;
  const life = new Life(steps);
  await commitVersion(life.services, toCommit(under, request, after, jobs), aRequest(services)).catch(
    (error: unknown) => {
      if (!life.isDead) throw error;
    },
  );

  await createPlacementLoop(services).turn();
  const left = await look();
  const isMixed = ![seenBefore, seenAfter].some((seen) => isDeepStrictEqual(seen, left));
  // Whoever was answered nothing asks again.
  await commitVersion(services, toCommit(under, request, after, jobs), aRequest(services));

  expect(await look(), `died at step ${steps}`).toEqual(seenAfter);
  if (!life.isDead) return null;
  return isMixed ? `step ${steps}: ${JSON.stringify(left)}` : '';
}

test('wherever the server dies, all of a version is there or nothing of it', {
  timeout: 120_000,
}, async () => {
  const mixtures: string[] = [];
  let steps = 0;
  for (let found = await dieAt(steps); found !== null; found = await dieAt(++steps))
    if (found !== '') mixtures.push(found);
  expect(steps).toBeGreaterThan(40);
  expect(mixtures).toEqual([]);
});
