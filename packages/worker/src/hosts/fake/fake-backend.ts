/**
 * Hosts in memory: the same frames and files as real ones, no processes. Good enough to develop the server
 * against. A backend outlives its worker, as real hosts do: hand the same one to the next worker to re-attach.
 */
import type { ClusterAssignment } from '../../ports.ts';
import { waitMs } from '../../wait.ts';
import type { FoundHost, HostBackend, HostConnection, HostDeath } from '../host-backend.ts';
import { HostStartError } from '../start-errors.ts';
import { createFakeHost, type FakeHost } from './fake-host.ts';
import { type FakeScript, scriptFromParameters } from './fake-script.ts';

export interface FakeBackendOptions {
  readonly clock: { nowMs(): number };
  readonly script?: FakeScript;
  /** A cluster whose name stands here does not start. */
  readonly refusedClusters?: ReadonlySet<string>;
  readonly startMs?: number;
}

export interface FakeBackend extends HostBackend {
  readonly hosts: ReadonlyMap<string, FakeHost>;
  /** As `kill -9` of the host. */
  kill(hostKey: string): void;
  /** The host drops this attempt once: it is lost before user code. */
  refuseNext(attemptId: number): void;
}

export function createFakeBackend(options: FakeBackendOptions): FakeBackend {
  const hosts = new Map<string, FakeHost>();
  const deaths = new Map<string, { clusterId: string; death: HostDeath }>();
  const refused = new Set<number>();
  const given = new Map<FakeHost, Pick<ClusterAssignment, 'hostKey' | 'clusterId'>>();
  let nextPid = 1_000_000;

  function newHost(cluster: ClusterAssignment): FakeHost {
    nextPid += 1;
    const { hostKey, clusterId } = cluster;
    const { clock, script = scriptFromParameters } = options;
    const setup = { sparkConf: cluster.sparkConf, poolId: cluster.pool?.poolId ?? null };
    const host = createFakeHost({ hostKey, clusterId, setup, pid: nextPid, clock, script, refused });
    hosts.set(hostKey, host);
    void host.died.then((death) => {
      const name = given.get(host) ?? { hostKey, clusterId };
      hosts.delete(name.hostKey);
      deaths.set(name.hostKey, { clusterId: name.clusterId, death });
    });
    return host;
  }

  return {
    name: 'fake',
    hosts,
    async start(cluster, { signal } = {}): Promise<HostConnection> {
      if (options.startMs !== undefined)
        await waitMs(options.startMs, signal ?? new AbortController().signal);
      signal?.throwIfAborted();
      if (options.refusedClusters?.has(cluster.clusterName))
        throw new Error('the fake backend was told to refuse it');
      const refusedScript = cluster.initScripts?.paths.find((path) => path.endsWith('/fails.sh'));
      if (refusedScript !== undefined)
        throw new HostStartError('INIT_SCRIPT_FAILURE', `init script ${refusedScript} ended with code 1`);
      deaths.delete(cluster.hostKey);
      const known = hosts.get(cluster.hostKey);
      return known === undefined ? newHost(cluster).connect() : { ...known.connect(), ...given.get(known) };
    },
    attach(): Promise<readonly FoundHost[]> {
      const alive = [...hosts.values()].map(
        (host) => ({ kind: 'alive', connection: { ...host.connect(), ...given.get(host) } }) as const,
      );
      const dead = [...deaths].map(([hostKey, found]) => ({ kind: 'dead', hostKey, ...found }) as const);
      return Promise.resolve([...alive, ...dead]);
    },
    give(connection, { hostKey, clusterId }) {
      const host = hosts.get(connection.hostKey);
      if (host === undefined || hosts.has(hostKey) || deaths.has(hostKey)) return null;
      hosts.delete(connection.hostKey);
      hosts.set(hostKey, host);
      given.set(host, { hostKey, clusterId });
      return { ...connection, hostKey, clusterId };
    },
    acknowledge(hostKey, acknowledged) {
      const found = deaths.get(hostKey);
      if (found === undefined) return;
      const epochs = new Map<number, number>(acknowledged.map(({ attemptId, epoch }) => [attemptId, epoch]));
      const attempts = found.death.attempts.filter(
        ({ attempt_id, epoch }) => epoch > (epochs.get(attempt_id) ?? 0),
      );
      deaths.set(hostKey, { ...found, death: { ...found.death, attempts } });
    },
    forget(hostKey) {
      deaths.delete(hostKey);
    },
    destroy(connection) {
      hosts.get(connection.hostKey)?.die('the host was destroyed');
    },
    async stop(connection) {
      hosts.get(connection.hostKey)?.die('the host was stopped');
      await connection.died;
    },
    refuseNext(attemptId) {
      refused.add(attemptId);
    },
    kill(hostKey) {
      hosts.get(hostKey)?.die('the host was killed');
    },
  };
}
