/** The folders of managed tables that are forgotten for good: noted with the rows, removed after the commit. */
import { type Discarded, discardInPlace } from '../blobs/discard.ts';
import type { Querier } from '../db/connect.ts';
import type { Services } from '../services.ts';
import type { DeletedTable } from './dropped-store.ts';
import { findManagedFolder } from './managed-location.ts';

export async function discardManaged(
  services: Services,
  client: Querier,
  tables: readonly DeletedTable[],
  nowMs: number,
): Promise<Discarded[]> {
  const discarded: Discarded[] = [];
  for (const { tableType, storageLocation } of tables) {
    const key =
      tableType === 'MANAGED' && storageLocation ? findManagedFolder(services.blobs, storageLocation) : null;
    if (key !== null) discarded.push(await discardInPlace(services, client, { key, nowMs }));
  }
  return discarded;
}

export async function removeAll(discarded: readonly Discarded[]): Promise<void> {
  for (const folder of discarded) await folder.remove();
}
