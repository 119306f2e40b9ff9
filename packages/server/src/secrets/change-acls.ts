import { ApiError, type SecretAcl, type SecretPermission } from '@headrace/api';
import type { Principal } from '../context.ts';
import type { Querier } from '../db/connect.ts';
import { findPrincipalByName, findUserNames } from '../tokens/find-principal.ts';
import { builtInGroups, requireScope } from './permissions.ts';
import { deleteAclRow, type Grantee, listAclRows, upsertAcl } from './store.ts';

/** As many as anybody reads; beyond it groups are the tool. */
const aclsMax = 1_000;

export interface AskedAcl {
  readonly scope: string;
  /** A user's name, or a group's. */
  readonly principal: string;
}

export async function putAcl(
  db: Querier,
  asked: AskedAcl & { readonly permission: SecretPermission },
  caller: Principal,
): Promise<void> {
  const scope = await requireScope(db, asked.scope, { principal: caller, permission: 'MANAGE' });
  const grantee = await findGrantee(db, asked.principal);
  if (!grantee) {
    throw new ApiError(
      'INVALID_PARAMETER_VALUE',
      `principal: ${asked.principal} is no user of this workspace and none of the groups ${builtInGroups.join(', ')}`,
    );
  }
  if ((await listAclRows(db, scope.id, aclsMax)).length >= aclsMax) {
    throw new ApiError(
      'RESOURCE_LIMIT_EXCEEDED',
      `the access list of scope ${scope.name} has ${aclsMax} entries: delete one first`,
    );
  }
  await upsertAcl(db, { scopeId: scope.id, grantee, permission: asked.permission });
}

export async function listAcls(db: Querier, scopeName: string, caller: Principal): Promise<SecretAcl[]> {
  const scope = await requireScope(db, scopeName, { principal: caller, permission: 'MANAGE' });
  const rows = await listAclRows(db, scope.id, aclsMax);
  const ids = rows.flatMap(({ principalId }) => principalId ?? []);
  const names = await findUserNames(db, ids);
  return rows.flatMap(({ principalId, group, permission }) => {
    const principal = group ?? names.get(principalId ?? 0);
    return principal === undefined ? [] : [{ principal, permission }];
  });
}

export async function getAcl(db: Querier, asked: AskedAcl, caller: Principal): Promise<SecretAcl> {
  const acls = await listAcls(db, asked.scope, caller);
  const found = acls.find(({ principal }) => principal === asked.principal);
  if (!found) throw noSuchAcl(asked);
  return found;
}

export async function deleteAcl(db: Querier, asked: AskedAcl, caller: Principal): Promise<void> {
  const scope = await requireScope(db, asked.scope, { principal: caller, permission: 'MANAGE' });
  const grantee = await findGrantee(db, asked.principal);
  if (!grantee || !(await deleteAclRow(db, scope.id, grantee))) throw noSuchAcl(asked);
}

async function findGrantee(db: Querier, name: string): Promise<Grantee | null> {
  if ((builtInGroups as readonly string[]).includes(name)) return { principalId: null, group: name };
  const principal = await findPrincipalByName(db, name);
  return principal && { principalId: principal.id, group: null };
}

function noSuchAcl({ scope, principal }: AskedAcl): ApiError {
  return new ApiError(
    'RESOURCE_DOES_NOT_EXIST',
    `${principal} has not been given any permission on scope ${scope}`,
  );
}
