/** What the server says about itself to those who run it. */
import type { ServerStatus } from '@headrace/api';
import { listRecentHosts } from '../compute/list-hosts.ts';
import { showWaitingHosts } from '../instance-pools/show-waiting.ts';
import type { LoopDriver } from '../loops/driver.ts';
import type { Services } from '../services.ts';
import { countActiveRuns } from './store.ts';

export interface StatusSources {
  readonly version: string;
  readonly startedAtMs: number;
  readonly loops: LoopDriver;
  /** Told by the attempts slice. */
  readonly listWorkers: () => Promise<ServerStatus['workers']>;
}

export async function showStatus(services: Services, sources: StatusSources): Promise<ServerStatus> {
  const [hosts, waiting, runs, workers] = await Promise.all([
    listRecentHosts(services),
    showWaitingHosts(services.db),
    countActiveRuns(services.db),
    sources.listWorkers(),
  ]);
  return {
    version: sources.version,
    started_at_ms: sources.startedAtMs,
    workers,
    runs,
    hosts: [
      ...hosts.map(({ clusterId, workerId, state, sparkState, pid, message }) => ({
        cluster_id: clusterId,
        worker_id: workerId,
        state,
        spark_state: sparkState,
        pid,
        message,
      })),
      ...waiting,
    ],
    loops: sources.loops.status().map(({ name, lastTurnAtMs, lastError }) => ({
      name,
      last_turn_at_ms: lastTurnAtMs,
      last_error: lastError,
    })),
  };
}
