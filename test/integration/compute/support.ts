/** What the tests of clusters' lives wait for. */
import type { Client, ClusterDocument, RunDocument } from '@headrace/api';
import { waitUntil } from '../../support/census.ts';

export const aSpec = { spark_version: '15.4.x-scala2.12', node_type_id: 'm5.large', num_workers: 1 };

type Clients = { readonly client: Client };

export async function waitForState(
  server: Clients,
  cluster_id: string,
  state: ClusterDocument['state'],
): Promise<ClusterDocument> {
  let found = await server.client.clustersGet({ cluster_id });
  await waitUntil(`cluster ${cluster_id} is ${state}`, async () => {
    found = await server.client.clustersGet({ cluster_id });
    return found.state === state;
  });
  return found;
}

export async function startedCluster(server: Clients, spec: object = {}): Promise<string> {
  const { cluster_id } = await server.client.clustersCreate({ ...aSpec, ...spec });
  await waitForState(server, cluster_id, 'RUNNING');
  return cluster_id;
}

/** Oldest first. */
export async function eventTypes(server: Clients, cluster_id: string): Promise<string[]> {
  const { events } = await server.client.clustersEvents({ cluster_id, order: 'ASC' });
  return events.map(({ type }) => type);
}

export async function waitForEnd(server: Clients, run_id: number): Promise<RunDocument> {
  let run = await server.client.runsGet({ run_id });
  await waitUntil(`run ${run_id} has ended`, async () => {
    run = await server.client.runsGet({ run_id });
    return run.status.state === 'TERMINATED';
  });
  return run;
}
