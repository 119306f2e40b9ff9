/** Hosts that no cluster has yet, for the status page. */
import type { ServerStatus } from '@headrace/api';
import { preparedPoolId, toSpareClusterId } from '@headrace/core';
import type { Querier } from '../db/connect.ts';
import { listWaitingHosts, type WaitingHostRow } from './store.ts';

const shownMax = 1_000;

export async function showWaitingHosts(db: Querier): Promise<ServerStatus['hosts']> {
  const hosts = await listWaitingHosts(db, shownMax);
  return hosts.map((host) => ({
    cluster_id: toSpareClusterId(host.poolId),
    worker_id: host.workerId,
    state: host.state,
    spark_state: host.sparkState,
    pid: null,
    message: host.state === 'failed' ? host.message : describeWait(host),
  }));
}

function describeWait({ poolId, poolName }: WaitingHostRow): string {
  if (poolId === preparedPoolId) return 'it waits for a job that is expected within minutes';
  return poolName === null ? 'its pool is gone' : `it waits in instance pool '${poolName}'`;
}
