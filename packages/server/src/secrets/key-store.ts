/** Which key seals, which retire, and what each has sealed. Private to the folder, as store.ts is. */
import type { Querier } from '../db/connect.ts';

/** Null while nothing has been sealed. */
export async function findKeyFingerprint(db: Querier): Promise<string | null> {
  const rows = await db.query<{ fingerprint: string }>({
    name: 'find-secret-key',
    text: 'select fingerprint from secret_key',
    values: [],
  });
  return rows[0]?.fingerprint ?? null;
}

/** The one that counts, which is another's if that came first. It stays so until the transaction ends. */
export async function claimKeyFingerprint(db: Querier, fingerprint: string): Promise<string> {
  await db.query({
    name: 'claim-secret-key',
    text: 'insert into secret_key (fingerprint) values ($1) on conflict do nothing',
    values: [fingerprint],
  });
  return (await lockKeyFingerprint(db)) ?? fingerprint;
}

export async function replaceKeyFingerprint(db: Querier, fingerprint: string): Promise<void> {
  await db.query({
    name: 'replace-secret-key',
    text: 'update secret_key set fingerprint = $1',
    values: [fingerprint],
  });
}

/** As `claimKeyFingerprint`, and null while nothing has been sealed. */
export async function lockKeyFingerprint(db: Querier): Promise<string | null> {
  const rows = await db.query<{ fingerprint: string }>({
    name: 'lock-secret-key',
    text: 'select fingerprint from secret_key for update',
    values: [],
  });
  return rows[0]?.fingerprint ?? null;
}

export async function hasSecrets(db: Querier): Promise<boolean> {
  const rows = await db.query({
    name: 'has-secrets',
    text: `
select 1 as one from secrets
union all
select 1 from git_credentials where sealed_token is not null
limit 1`,
    values: [],
  });
  return rows.length > 0;
}

/** A key is retired at a time; an older release's leftovers would be some. */
const retiringMax = 100;

/** Fingerprints of keys that seal nothing new, and perhaps still something old; the oldest first. */
export async function listRetiringKeys(db: Querier): Promise<string[]> {
  const rows = await db.query<{ fingerprint: string }>({
    name: 'list-retiring-secret-keys',
    text: 'select fingerprint from retiring_secret_keys order by since_ms, fingerprint limit $1',
    values: [retiringMax],
  });
  return rows.map(({ fingerprint }) => fingerprint);
}

export async function recordRetiringKey(
  db: Querier,
  retiring: { readonly fingerprint: string; readonly sinceMs: number },
): Promise<void> {
  await db.query({
    name: 'record-retiring-secret-key',
    text: 'insert into retiring_secret_keys (fingerprint, since_ms) values ($1, $2) on conflict do nothing',
    values: [retiring.fingerprint, retiring.sinceMs],
  });
}

/** How many values it has sealed that do not open, as the last pass over all of them found. */
export async function recordUnreadable(
  db: Querier,
  { fingerprint, unreadable }: { readonly fingerprint: string; readonly unreadable: number },
): Promise<void> {
  await db.query({
    name: 'record-unreadable-secrets',
    text: 'update retiring_secret_keys set unreadable = $2 where fingerprint = $1 and unreadable <> $2',
    values: [fingerprint, unreadable],
  });
}

/** Those with which nothing is sealed any more. */
export async function forgetUnusedKeys(db: Querier): Promise<void> {
  await db.query({
    name: 'forget-unused-secret-keys',
    text: `
      delete from retiring_secret_keys r
      where not exists (select from secrets s where s.key_fingerprint = r.fingerprint)
        and not exists (
          select from git_credentials g where g.key_fingerprint = r.fingerprint and g.sealed_token is not null
        )`,
    values: [],
  });
}

interface SealedCount {
  readonly values: number;
  /** With one of the keys. */
  readonly left: number;
  /** When that was last looked at; some may have been put again since. */
  readonly unreadable: number;
}

export async function countSealed(db: Querier, fingerprints: readonly string[]): Promise<SealedCount> {
  const rows = await db.query<SealedCount>({
    name: 'count-sealed',
    text: `
      select count(*) as "values", count(*) filter (where s.key_fingerprint = any($1)) as "left",
        (select coalesce(sum(unreadable), 0) from retiring_secret_keys) as "unreadable"
      from (
        select key_fingerprint from secrets
        union all
        select key_fingerprint from git_credentials where sealed_token is not null
      ) s`,
    values: [fingerprints],
  });
  return rows[0] ?? { values: 0, left: 0, unreadable: 0 };
}

export interface SealedByRow {
  readonly scopeId: number;
  readonly scope: string;
  readonly key: string;
  readonly sealed: Buffer;
  /** To go on after it. */
  readonly position: string;
}

/** Locked until the transaction ends: nobody puts another value in between. */
export function listSealedBy(
  db: Querier,
  page: { readonly fingerprint: string; readonly after: string | null; readonly limit: number },
): Promise<SealedByRow[]> {
  const [scopeId, key] = page.after === null ? ['-1', ''] : divide(page.after);
  return db.query<SealedByRow>({
    name: 'list-sealed-by',
    text: `
      select s.scope_id as "scopeId", p.name as scope, s.key, s.sealed, s.scope_id || ' ' || lower(s.key) as position
      from secrets s
      join secret_scopes p on p.id = s.scope_id
      where s.key_fingerprint = $1
        and (s.scope_id, lower(s.key)) > ($2, $3)
      order by s.scope_id, lower(s.key)
      limit $4
      for update of s`,
    values: [page.fingerprint, scopeId, key, page.limit],
  });
}

function divide(position: string): [string, string] {
  const at = position.indexOf(' ');
  return [position.slice(0, at), position.slice(at + 1)];
}

/** The value is the same: when it was put stays. */
export async function resealSecret(
  db: Querier,
  { scopeId, key }: Pick<SealedByRow, 'scopeId' | 'key'>,
  anew: { readonly sealed: Buffer; readonly by: string },
): Promise<void> {
  await db.query({
    name: 'reseal-secret',
    text: 'update secrets set sealed = $3, key_fingerprint = $4 where scope_id = $1 and lower(key) = lower($2)',
    values: [scopeId, key, anew.sealed, anew.by],
  });
}
