/** Who may do what with a scope: by default nobody but whoever made it, and administrators. */
import { ApiError, type SecretPermission, secretPermissions } from '@headrace/api';
import type { Principal } from '../context.ts';
import type { Querier } from '../db/connect.ts';
import { findScope, type ScopeRow } from './store.ts';

/** Groups that need no list of members. */
export const builtInGroups = ['users', 'admins'] as const;

/** The scope, if the principal has the permission on it. */
export async function requireScope(
  db: Querier,
  name: string,
  { principal, permission }: { principal: Principal; permission: SecretPermission },
): Promise<ScopeRow> {
  const scope = await findScope(db, name, { principalId: principal.id, groups: groupsOf(principal) });
  if (!scope) throw noSuchScope(name);
  if (!mayUse(scope, principal, permission)) {
    throw new ApiError(
      'PERMISSION_DENIED',
      `${principal.userName} does not have ${permission} permission on scope ${scope.name}: whoever manages the scope gives it with secrets/acls/put`,
    );
  }
  return scope;
}

export function noSuchScope(name: string): ApiError {
  return new ApiError('RESOURCE_DOES_NOT_EXIST', `Scope ${name} does not exist!`);
}

/** Administrators could give themselves any permission: they have it. */
function mayUse({ granted }: ScopeRow, { isAdmin }: Principal, permission: SecretPermission): boolean {
  const needed = secretPermissions.indexOf(permission);
  return isAdmin || granted.some((given) => secretPermissions.indexOf(given) >= needed);
}

function groupsOf({ isAdmin }: Principal): string[] {
  return isAdmin ? ['users', 'admins'] : ['users'];
}
