/** The clock of PostgreSQL is set forward: every lease is over at once, and no worker has done anything wrong. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createClusterLoop } from '../../../packages/server/src/compute/cluster-loop.ts';
import { readConfig } from '../../../packages/server/src/config.ts';
import { connectDatabase, type Database } from '../../../packages/server/src/db/connect.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';

const leaseMs = 60_000;
const hourMs = 3_600_000;
let database: TestDatabase;
let db: Database;
let elapsedMs = 10_000;
let steppedMs = 0;
beforeAll(async () => {
  database = await createTestDatabase();
  db = connectDatabase({ connection: database.url, log: { warn: () => undefined } as never });
  await database.pool.query(
    `insert into workers (worker_id, backend, slots, is_local, registered_at_ms, heartbeat_at_ms, lease_expires_at_ms)
     values ('far', 'remote', 1, false, 1, 1, $1), ('other', 'remote', 1, false, 1, 1, $2)`,
    [Date.now() + leaseMs, Date.now() + 24 * hourMs],
  );
  await database.pool.query(
    `insert into clusters (cluster_id, cluster_name, kind, spec, warnings, created_by, created_at_ms, owner_id, state,
       wanted, generation, worker_id, active_at_ms, started_at_ms)
     values ('c1', 'c', 'all_purpose', '{"autotermination_minutes": 0}', '[]', 'ada', 1, 1, 'RUNNING', 'running', 1, 'far', $1, 1)`,
    [Date.now()],
  );
  await database.pool.query(
    `insert into cluster_hosts (cluster_id, host_key, worker_id, state, spark_state, pid, message, started_at_ms, reported_at_ms)
     values ('c1', 'c1-1', 'far', 'running', 'none', 1, '', 1, 1)`,
  );
});
afterAll(async () => {
  await db.close();
  await database.drop();
});

async function workerOfCluster(): Promise<string | null> {
  const { rows } = await database.pool.query("select worker_id from clusters where cluster_id = 'c1'");
  return rows[0]?.worker_id ?? null;
}

test('a cluster stays with its worker for a full lease after the step, and goes when that is over', async () => {
  const config = { ...readConfig({ HEADRACE_STATE_DIR: '/nonexistent' }), workerLeaseMs: leaseMs };
  const loop = createClusterLoop(
    // The clock of this server has not heard of the step.
    { db, clock: { nowMs: () => Date.now() }, config },
    {
      onMoved: async () => undefined,
      elapsedMs: () => elapsedMs,
      readNowMs: async () => elapsedMs + steppedMs,
    },
  );
  const turnAfter = async (passedMs: number) => {
    for (let left = passedMs; left > 0; left -= 2_000) {
      elapsedMs += 2_000;
      await loop.turn();
    }
  };
  await loop.turn();
  // A server that has been up for long trusts leases.
  await turnAfter(2 * leaseMs);

  steppedMs += hourMs;
  await database.pool.query("update workers set lease_expires_at_ms = 1 where worker_id = 'far'");
  await turnAfter(leaseMs - 4_000);
  const withinLease = await workerOfCluster();
  await turnAfter(8_000);

  expect(withinLease).toBe('far');
  expect(await workerOfCluster()).toBe('other');
});
