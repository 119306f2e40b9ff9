/** What tasks of a cluster get besides their own libraries. */
import type { LibrarySpec } from '@headrace/api';
import type { Querier } from '../db/connect.ts';
import { listLibraries } from './store.ts';

export function listClusterLibraries(db: Querier, clusterId: string): Promise<LibrarySpec[]> {
  return listLibraries(db, clusterId);
}
