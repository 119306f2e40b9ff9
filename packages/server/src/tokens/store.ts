import type { Querier } from '../db/connect.ts';

/** `worker`: signs workers on and opens nothing else. */
export type TokenKind = 'personal' | 'local' | 'session' | 'worker';

export interface TokenRow {
  readonly id: string;
  readonly principalId: number;
  readonly kind: TokenKind;
  readonly comment: string;
  readonly createdAtMs: number;
  readonly expiresAtMs: number | null;
}

export interface PrincipalRow {
  readonly id: number;
  readonly userName: string;
  readonly displayName: string;
  readonly isAdmin: boolean;
  readonly active: boolean;
}

const tokenColumns = `id, principal_id as "principalId", kind, comment, created_at_ms as "createdAtMs", expires_at_ms as "expiresAtMs"`;
const principalColumns = `id, user_name as "userName", display_name as "displayName", is_admin as "isAdmin", active`;

/** False when a principal of that name exists. */
export async function insertPrincipal(
  db: Querier,
  principal: Omit<PrincipalRow, 'active'> & { createdAtMs: number },
): Promise<boolean> {
  const rows = await db.query({
    name: 'insert-principal',
    text: `
      insert into principals (id, user_name, display_name, kind, is_admin, created_at_ms)
      values ($1, $2, $3, 'user', $4, $5)
      on conflict (user_name) do nothing
      returning id`,
    values: [
      principal.id,
      principal.userName,
      principal.displayName,
      principal.isAdmin,
      principal.createdAtMs,
    ],
  });
  return rows.length > 0;
}

/** True for the one caller that may make it. */
export async function claimFirstToken(db: Querier, principalId: number): Promise<boolean> {
  const rows = await db.query({
    name: 'claim-first-token',
    text: `
      update principals set has_had_token = true
      where id = $1 and not has_had_token
      returning id`,
    values: [principalId],
  });
  return rows.length > 0;
}

export async function findFirstAdmin(db: Querier): Promise<PrincipalRow | null> {
  const rows = await db.query<PrincipalRow>({
    name: 'find-first-admin',
    text: `select ${principalColumns} from principals where is_admin and active order by id limit 1`,
    values: [],
  });
  return rows[0] ?? null;
}

export async function findPrincipalById(db: Querier, id: number): Promise<PrincipalRow | null> {
  const rows = await db.query<PrincipalRow>({
    name: 'find-principal-by-id',
    text: `select ${principalColumns} from principals where id = $1`,
    values: [id],
  });
  return rows[0] ?? null;
}

export async function findPrincipalByUserName(db: Querier, userName: string): Promise<PrincipalRow | null> {
  const rows = await db.query<PrincipalRow>({
    name: 'find-principal-by-user-name',
    text: `select ${principalColumns} from principals where user_name = $1`,
    values: [userName],
  });
  return rows[0] ?? null;
}

export function listPrincipals(db: Querier, ids: readonly number[]): Promise<PrincipalRow[]> {
  return db.query<PrincipalRow>({
    name: 'list-principals',
    text: `select ${principalColumns} from principals where id = any($1)`,
    values: [ids],
  });
}

export async function insertToken(db: Querier, token: TokenRow & { hash: Buffer }): Promise<void> {
  await db.query({
    name: 'insert-token',
    text: `
      insert into tokens (id, principal_id, kind, comment, hash, created_at_ms, expires_at_ms)
      values ($1, $2, $3, $4, $5, $6, $7)`,
    values: [
      token.id,
      token.principalId,
      token.kind,
      token.comment,
      token.hash,
      token.createdAtMs,
      token.expiresAtMs,
    ],
  });
}

export async function findTokenPrincipal(
  db: Querier,
  hash: Buffer,
  nowMs: number,
): Promise<(PrincipalRow & { expiresAtMs: number | null; kind: TokenKind }) | null> {
  const rows = await db.query<PrincipalRow & { expiresAtMs: number | null; kind: TokenKind }>({
    name: 'find-token-principal',
    text: `
      select p.id, p.user_name as "userName", p.display_name as "displayName", p.is_admin as "isAdmin", p.active,
        t.expires_at_ms as "expiresAtMs", t.kind
      from tokens t
      join principals p on p.id = t.principal_id
      where t.hash = $1 and p.active and (t.expires_at_ms is null or t.expires_at_ms > $2)`,
    values: [hash, nowMs],
  });
  return rows[0] ?? null;
}

export async function listPersonalTokens(
  db: Querier,
  principalId: number,
  limit: number,
): Promise<TokenRow[]> {
  return db.query<TokenRow>({
    name: 'list-personal-tokens',
    text: `
      select ${tokenColumns} from tokens
      where principal_id = $1 and kind = 'personal'
      order by created_at_ms desc, id
      limit $2`,
    values: [principalId, limit],
  });
}

export async function countPersonalTokens(db: Querier, principalId: number): Promise<number> {
  const rows = await db.query<{ count: number }>({
    name: 'count-personal-tokens',
    text: `select count(*) as count from tokens where principal_id = $1 and kind = 'personal'`,
    values: [principalId],
  });
  return rows[0]?.count ?? 0;
}

export async function deletePersonalToken(
  db: Querier,
  token: { id: string; principalId: number },
): Promise<boolean> {
  const rows = await db.query({
    name: 'delete-personal-token',
    text: `delete from tokens where id = $1 and principal_id = $2 and kind = 'personal' returning id`,
    values: [token.id, token.principalId],
  });
  return rows.length > 0;
}

/** Of all administrators: workers belong to none of them. */
export function listWorkerTokens(db: Querier, limit: number): Promise<TokenRow[]> {
  return db.query<TokenRow>({
    name: 'list-worker-tokens',
    text: `
      select ${tokenColumns} from tokens
      where kind = 'worker'
      order by created_at_ms desc, id
      limit $1`,
    values: [limit],
  });
}

export async function deleteWorkerToken(db: Querier, id: string): Promise<boolean> {
  const rows = await db.query({
    name: 'delete-worker-token',
    text: `delete from tokens where id = $1 and kind = 'worker' returning id`,
    values: [id],
  });
  return rows.length > 0;
}

export async function deleteTokenByHash(db: Querier, hash: Buffer): Promise<void> {
  await db.query({
    name: 'delete-token-by-hash',
    text: 'delete from tokens where hash = $1',
    values: [hash],
  });
}

export async function deleteLocalTokens(db: Querier, comment: string): Promise<void> {
  await db.query({
    name: 'delete-local-tokens',
    text: `delete from tokens where kind = 'local' and comment = $1`,
    values: [comment],
  });
}

export async function deleteExpired(db: Querier, nowMs: number): Promise<void> {
  await db.query({
    name: 'delete-expired-tokens',
    text: `
      with old_tokens as (delete from tokens where expires_at_ms is not null and expires_at_ms <= $1)
      delete from sign_in_links where expires_at_ms <= $1`,
    values: [nowMs],
  });
}

export async function insertSignInLink(
  db: Querier,
  link: { hash: Buffer; principalId: number; expiresAtMs: number },
): Promise<void> {
  await db.query({
    name: 'insert-sign-in-link',
    text: 'insert into sign_in_links (hash, principal_id, expires_at_ms) values ($1, $2, $3)',
    values: [link.hash, link.principalId, link.expiresAtMs],
  });
}

/** Uses the link up: of two callers with one link, one gets the principal. */
export async function takeSignInLink(db: Querier, hash: Buffer, nowMs: number): Promise<number | null> {
  const rows = await db.query<{ principalId: number }>({
    name: 'take-sign-in-link',
    text: `delete from sign_in_links where hash = $1 and expires_at_ms > $2 returning principal_id as "principalId"`,
    values: [hash, nowMs],
  });
  return rows[0]?.principalId ?? null;
}

export async function deleteSessions(db: Querier, principalId: number): Promise<void> {
  await db.query({
    name: 'delete-sessions',
    text: `delete from tokens where principal_id = $1 and kind = 'session'`,
    values: [principalId],
  });
}
