import type { Principal } from '../context.ts';
import type { Querier } from '../db/connect.ts';
import { findPrincipalById } from './store.ts';

/** Null when there is none, or it may not act any more. */
export async function findActivePrincipal(db: Querier, id: number): Promise<Principal | null> {
  const row = await findPrincipalById(db, id);
  return row?.active ? { id: row.id, userName: row.userName, isAdmin: row.isAdmin } : null;
}
