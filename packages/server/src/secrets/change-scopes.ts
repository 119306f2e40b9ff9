import { ApiError, secretScopesMax } from '@headrace/api';
import type { Principal } from '../context.ts';
import type { Services } from '../services.ts';
import { requireScope } from './permissions.ts';
import { countScopes, deleteScopeRow, type Grantee, insertScope, lockScopes, upsertAcl } from './store.ts';

export interface NewScope {
  readonly name: string;
  readonly initialManagePrincipal: string | undefined;
  readonly backendType: string | undefined;
}

export async function createScope(
  { db, ids }: Pick<Services, 'db' | 'ids'>,
  { name, initialManagePrincipal, backendType = 'DATABRICKS' }: NewScope,
  { principal, nowMs }: { principal: Principal; nowMs: number },
): Promise<void> {
  if (backendType !== 'DATABRICKS') {
    throw new ApiError(
      'INVALID_PARAMETER_VALUE',
      `scope_backend_type: Headrace keeps secrets itself and has no scopes of ${backendType}; leave it out and put the values here`,
    );
  }
  const grantee = findFirstManager(initialManagePrincipal, principal);
  const scope = { id: ids.newId(), name, createdAtMs: nowMs };
  await db.transaction(async (client) => {
    await lockScopes(client);
    const count = await countScopes(client);
    if (!(await insertScope(client, scope)))
      throw new ApiError('RESOURCE_ALREADY_EXISTS', `Scope ${name} already exists!`);
    if (count >= secretScopesMax) {
      throw new ApiError(
        'RESOURCE_LIMIT_EXCEEDED',
        `there are ${secretScopesMax} secret scopes, and no more are allowed: delete one first`,
      );
    }
    await upsertAcl(client, { scopeId: scope.id, grantee, permission: 'MANAGE' });
  });
}

export async function deleteScope(
  { db }: Pick<Services, 'db'>,
  name: string,
  principal: Principal,
): Promise<void> {
  const scope = await requireScope(db, name, { principal, permission: 'MANAGE' });
  await deleteScopeRow(db, scope.id);
}

function findFirstManager(asked: string | undefined, principal: Principal): Grantee {
  if (asked === undefined || asked === '') return { principalId: principal.id, group: null };
  if (asked === 'users') return { principalId: null, group: 'users' };
  throw new ApiError(
    'INVALID_PARAMETER_VALUE',
    'initial_manage_principal: only the group users can be given MANAGE here; give it to others with secrets/acls/put',
  );
}
