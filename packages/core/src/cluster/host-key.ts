/**
 * The key of a host says which generation of its cluster it belongs to: `<hash>` for the first, else `<hash>-<n>`. A
 * restart or an edit begins a generation, and hosts of earlier ones go.
 */

export function toHostKey(hash: string, generation: number): string {
  return generation === 0 ? hash : `${hash}-${generation}`;
}

export function generationOf(hostKey: string): number {
  const [, digits] = /-(\d{1,9})$/.exec(hostKey) ?? [];
  return digits === undefined ? 0 : Number(digits);
}

const sparePrefix = 'pool:';

/** The server's own pool, of hosts that wait for expected jobs: its id is one that nobody can give. */
export const preparedPoolId = ':prepared';

/** What a host that waits in a pool has in the place of a cluster's id, which has no colon. */
export function toSpareClusterId(poolId: string): string {
  return sparePrefix + poolId;
}

/** The pool that it waits in; null for the host of a cluster. */
export function poolOfSpare(clusterId: string): string | null {
  return clusterId.startsWith(sparePrefix) ? clusterId.slice(sparePrefix.length) : null;
}
