import { ApiError, type User } from '@headrace/api';
import type { Principal } from '../context.ts';
import type { Querier } from '../db/connect.ts';
import { findPrincipalById, findPrincipalByUserName, listPrincipals } from './store.ts';

/** Null when there is none, or it may not act any more. */
export async function findActivePrincipal(db: Querier, id: number): Promise<Principal | null> {
  const row = await findPrincipalById(db, id);
  return row?.active ? { id: row.id, userName: row.userName, isAdmin: row.isAdmin } : null;
}

/** Null when there is none. Also one that may not act any more can be named. */
export async function findPrincipalByName(db: Querier, userName: string): Promise<Principal | null> {
  const row = await findPrincipalByUserName(db, userName);
  return row && { id: row.id, userName: row.userName, isAdmin: row.isAdmin };
}

/** By id; whoever is gone is missing. */
export async function findUserNames(
  db: Querier,
  ids: readonly number[],
): Promise<ReadonlyMap<number, string>> {
  if (ids.length === 0) return new Map();
  return new Map((await listPrincipals(db, ids)).map(({ id, userName }) => [id, userName]));
}

/** As the identity API shows people. */
export async function showUser(db: Querier, principal: Principal): Promise<User> {
  const row = await findPrincipalById(db, principal.id);
  if (!row) throw new ApiError('UNAUTHENTICATED', 'the principal of this token is gone');
  return {
    id: String(row.id),
    userName: row.userName,
    displayName: row.displayName,
    active: row.active,
    name: { givenName: row.displayName },
    emails: [{ value: row.userName, primary: true, type: 'work' }],
    groups: row.isAdmin ? [{ display: 'admins', value: 'admins', type: 'direct' }] : [],
    schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
  };
}
