/** Names that a bundle looks up are found on a real server: each kind by its own list. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { answerLookups } from '../../../packages/bundle/src/load/answer-lookups.ts';
import type { Lookup, LookupKind } from '../../../packages/bundle/src/resolve/lookups.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ backend: null });
});
afterAll(() => server.dispose());

const at = { file: 'databricks.yml', line: 1, column: 1 };
const wanted = (kind: LookupKind, name: string, variable: string = kind): Lookup => ({
  variable,
  kind,
  name,
  at,
});

test('what is named is found by its name, and what is named twice is said to be', async () => {
  const { client } = server;
  const { job_id } = await client.jobsCreate({ name: 'nightly', tasks: [] });
  const { cluster_id } = await client.clustersCreate({
    cluster_name: 'shared',
    spark_version: '15.4.x-scala2.12',
    num_workers: 0,
  });
  const { instance_pool_id } = await client.instancePoolsCreate({
    instance_pool_name: 'pool',
    node_type_id: 'local.small',
  });
  const { policy_id } = await client.clusterPoliciesCreate({ name: 'small', definition: '{}' });
  const { id: query_id } = await client.queriesCreate({
    query: { display_name: 'report', query_text: 'select 1' },
  });
  for (let copy = 0; copy < 2; copy += 1) await client.jobsCreate({ name: 'twice', tasks: [] });

  const answers = await answerLookups(
    [
      wanted('job', 'nightly'),
      wanted('job', 'twice', 'twice'),
      wanted('job', 'night', 'prefix'),
      wanted('cluster', 'shared'),
      wanted('instance_pool', 'pool'),
      wanted('cluster_policy', 'small'),
      wanted('query', 'report'),
      wanted('warehouse', 'gone'),
      wanted('alert', 'gone'),
    ],
    client,
  );

  expect(Object.fromEntries(answers)).toEqual({
    job: { kind: 'found', id: String(job_id) },
    twice: { kind: 'ambiguous', ids: [expect.any(String), expect.any(String)] },
    prefix: { kind: 'missing' },
    cluster: { kind: 'found', id: cluster_id },
    instance_pool: { kind: 'found', id: instance_pool_id },
    cluster_policy: { kind: 'found', id: policy_id },
    query: { kind: 'found', id: query_id },
    warehouse: { kind: 'missing' },
    alert: { kind: 'missing' },
  });
});
