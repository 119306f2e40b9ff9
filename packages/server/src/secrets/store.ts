import type { SecretPermission } from '@headrace/api';
import type { Querier } from '../db/connect.ts';

export interface ScopeRow {
  readonly id: number;
  readonly name: string;
  /** What the asking principal was given on it, directly or as one of a group. */
  readonly granted: readonly SecretPermission[];
}

/** Whom an entry of the access list is for: a user, or a group. */
export type Grantee =
  | { readonly principalId: number; readonly group: null }
  | { readonly principalId: null; readonly group: string };

export interface AclRow {
  readonly principalId: number | null;
  readonly group: string | null;
  readonly permission: SecretPermission;
}

/** False when there is one of that name. */
export async function insertScope(
  db: Querier,
  scope: { id: number; name: string; createdAtMs: number },
): Promise<boolean> {
  const rows = await db.query({
    name: 'insert-secret-scope',
    text: `
      insert into secret_scopes (id, name, created_at_ms)
      values ($1, $2, $3)
      on conflict do nothing
      returning id`,
    values: [scope.id, scope.name, scope.createdAtMs],
  });
  return rows.length > 0;
}

/** Makers of scopes wait for each other until the transaction ends, so that they can be counted. */
export async function lockScopes(db: Querier): Promise<void> {
  await db.query({
    name: 'lock-secret-scopes',
    text: 'lock table secret_scopes in share row exclusive mode',
    values: [],
  });
}

export async function countScopes(db: Querier): Promise<number> {
  const rows = await db.query<{ count: number }>({
    name: 'count-secret-scopes',
    text: 'select count(*) as count from secret_scopes',
    values: [],
  });
  return rows[0]?.count ?? 0;
}

export function listScopeNames(db: Querier, limit: number): Promise<{ name: string }[]> {
  return db.query<{ name: string }>({
    name: 'list-secret-scopes',
    text: 'select name from secret_scopes order by lower(name) limit $1',
    values: [limit],
  });
}

export async function findScope(
  db: Querier,
  name: string,
  asked: { principalId: number; groups: readonly string[] },
): Promise<ScopeRow | null> {
  const rows = await db.query<ScopeRow>({
    name: 'find-secret-scope',
    text: `
      select s.id, s.name, array(
        select a.permission
        from secret_acls a
        where a.scope_id = s.id and (a.principal_id = $2 or a.group_name = any($3))
      ) as granted
      from secret_scopes s
      where lower(s.name) = lower($1)`,
    values: [name, asked.principalId, asked.groups],
  });
  return rows[0] ?? null;
}

/** False when it is gone; else nobody else counts or deletes its secrets until the transaction ends. */
export async function lockScope(db: Querier, id: number): Promise<boolean> {
  const rows = await db.query({
    name: 'lock-secret-scope',
    text: 'select id from secret_scopes where id = $1 for update',
    values: [id],
  });
  return rows.length > 0;
}

export async function deleteScopeRow(db: Querier, id: number): Promise<void> {
  await db.query({
    name: 'delete-secret-scope',
    text: 'delete from secret_scopes where id = $1',
    values: [id],
  });
}

export async function countSecrets(db: Querier, scopeId: number, exceptKey: string): Promise<number> {
  const rows = await db.query<{ count: number }>({
    name: 'count-secrets',
    text: 'select count(*) as count from secrets where scope_id = $1 and lower(key) <> lower($2)',
    values: [scopeId, exceptKey],
  });
  return rows[0]?.count ?? 0;
}

export async function upsertSecret(
  db: Querier,
  secret: {
    scopeId: number;
    key: string;
    sealed: Buffer;
    /** Of the key that sealed it. */
    fingerprint: string;
    updatedAtMs: number;
  },
): Promise<void> {
  await db.query({
    name: 'upsert-secret',
    text: `
      insert into secrets (scope_id, key, sealed, key_fingerprint, updated_at_ms)
      values ($1, $2, $3, $4, $5)
      on conflict (scope_id, lower(key)) do update
      set key = excluded.key, sealed = excluded.sealed, key_fingerprint = excluded.key_fingerprint,
        updated_at_ms = excluded.updated_at_ms`,
    values: [secret.scopeId, secret.key, secret.sealed, secret.fingerprint, secret.updatedAtMs],
  });
}

export interface SealedRow {
  readonly key: string;
  readonly sealed: Buffer;
  readonly fingerprint: string;
}

/** With the fingerprint of the key that sealed it. */
export async function findSecret(db: Querier, scopeId: number, key: string): Promise<SealedRow | null> {
  const rows = await db.query<SealedRow>({
    name: 'find-secret',
    text: `
      select s.key, s.sealed, s.key_fingerprint as fingerprint
      from secrets s
      where s.scope_id = $1 and lower(s.key) = lower($2)`,
    values: [scopeId, key],
  });
  return rows[0] ?? null;
}

export function listSecretKeys(
  db: Querier,
  scopeId: number,
  limit: number,
): Promise<{ key: string; updatedAtMs: number }[]> {
  return db.query<{ key: string; updatedAtMs: number }>({
    name: 'list-secrets',
    text: `
      select key, updated_at_ms as "updatedAtMs"
      from secrets
      where scope_id = $1
      order by lower(key)
      limit $2`,
    values: [scopeId, limit],
  });
}

export async function deleteSecretRow(db: Querier, scopeId: number, key: string): Promise<boolean> {
  const rows = await db.query({
    name: 'delete-secret',
    text: 'delete from secrets where scope_id = $1 and lower(key) = lower($2) returning key',
    values: [scopeId, key],
  });
  return rows.length > 0;
}

export async function upsertAcl(
  db: Querier,
  acl: { scopeId: number; grantee: Grantee; permission: SecretPermission },
): Promise<void> {
  const { principalId, group } = acl.grantee;
  await db.query({
    name: 'upsert-secret-acl',
    text: `
      insert into secret_acls (scope_id, principal_id, group_name, permission)
      values ($1, $2, $3, $4)
      on conflict (scope_id, principal_id, group_name) do update
      set permission = excluded.permission`,
    values: [acl.scopeId, principalId, group, acl.permission],
  });
}

export function listAclRows(db: Querier, scopeId: number, limit: number): Promise<AclRow[]> {
  return db.query<AclRow>({
    name: 'list-secret-acls',
    text: `
      select principal_id as "principalId", group_name as "group", permission
      from secret_acls
      where scope_id = $1
      order by group_name nulls last, principal_id
      limit $2`,
    values: [scopeId, limit],
  });
}

export async function deleteAclRow(db: Querier, scopeId: number, grantee: Grantee): Promise<boolean> {
  const rows = await db.query({
    name: 'delete-secret-acl',
    text: `
      delete from secret_acls
      where scope_id = $1 and principal_id is not distinct from $2 and group_name is not distinct from $3
      returning scope_id`,
    values: [scopeId, grantee.principalId, grantee.group],
  });
  return rows.length > 0;
}
