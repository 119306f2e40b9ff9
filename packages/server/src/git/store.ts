import type { GitProviderName } from '@headrace/api';
import type { Querier } from '../db/connect.ts';

export interface CredentialRow {
  readonly credentialId: number;
  readonly principalId: number;
  readonly provider: GitProviderName;
  readonly username: string | null;
  readonly email: string | null;
  readonly name: string | null;
  readonly isDefault: boolean;
  /** Null: none was given. */
  readonly sealedToken: Buffer | null;
  /** Of the key that sealed it. */
  readonly keyFingerprint: string | null;
}

const columns = `credential_id as "credentialId", principal_id as "principalId", provider, username, email, name,
  is_default as "isDefault", sealed_token as "sealedToken",
  key_fingerprint as "keyFingerprint"`;

export function listCredentials(db: Querier, principalId: number): Promise<CredentialRow[]> {
  return db.query<CredentialRow>({
    name: 'git-list-credentials',
    text: `select ${columns} from git_credentials where principal_id = $1 order by credential_id`,
    values: [principalId],
  });
}

/** Until the transaction ends, nobody else changes the principal's credentials. */
export async function lockCredentialsOf(db: Querier, principalId: number): Promise<void> {
  await db.query({
    name: 'git-lock-credentials',
    text: 'select id from principals where id = $1 for no key update',
    values: [principalId],
  });
}

export async function insertCredential(db: Querier, row: CredentialRow, nowMs: number): Promise<void> {
  await db.query({
    name: 'git-insert-credential',
    text: `
insert into git_credentials
  (credential_id, principal_id, provider, username, email, name, is_default, sealed_token, key_fingerprint,
   created_at_ms)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
    values: [...valuesOf(row), nowMs],
  });
}

export async function updateCredential(db: Querier, row: CredentialRow): Promise<void> {
  await db.query({
    name: 'git-update-credential',
    text: `
update git_credentials
set provider = $3, username = $4, email = $5, name = $6, is_default = $7, sealed_token = $8, key_fingerprint = $9
where credential_id = $1
  and principal_id = $2`,
    values: valuesOf(row),
  });
}

/** One default for each provider. */
export async function clearDefaults(
  db: Querier,
  { principalId, provider, credentialId }: CredentialRow,
): Promise<void> {
  await db.query({
    name: 'git-clear-defaults',
    text: `
update git_credentials
set is_default = false
where principal_id = $1
  and provider = $2
  and credential_id <> $3`,
    values: [principalId, provider, credentialId],
  });
}

/** False when the principal has no such credential. */
export async function deleteCredential(
  db: Querier,
  { credentialId, principalId }: Pick<CredentialRow, 'credentialId' | 'principalId'>,
): Promise<boolean> {
  const rows = await db.query({
    name: 'git-delete-credential',
    text: 'delete from git_credentials where credential_id = $1 and principal_id = $2 returning credential_id',
    values: [credentialId, principalId],
  });
  return rows.length > 0;
}

function valuesOf(row: CredentialRow): unknown[] {
  const { credentialId, principalId, provider, username, email, name, isDefault } = row;
  return [
    credentialId,
    principalId,
    provider,
    username,
    email,
    name,
    isDefault,
    row.sealedToken,
    row.keyFingerprint,
  ];
}

export interface UsedCommit {
  readonly run_id: number;
  readonly git_url: string;
  readonly reference: string;
  readonly commit: string;
}

export function listUsedCommits(db: Querier, runIds: readonly number[]): Promise<UsedCommit[]> {
  return db.query<UsedCommit>({
    name: 'git-list-used-commits',
    text: `
select run_id, git_url, reference, "commit"
from run_git_commits
where run_id = any($1::bigint[])`,
    values: [runIds],
  });
}

/** The commit that counts: of several that resolve at once, the first one's. */
export async function recordUsedCommit(db: Querier, used: UsedCommit): Promise<string> {
  await db.query({
    name: 'git-record-used-commit',
    text: `
insert into run_git_commits (run_id, git_url, reference, "commit")
values ($1, $2, $3, $4)
on conflict do nothing`,
    values: [used.run_id, used.git_url, used.reference, used.commit],
  });
  const recorded = await listUsedCommits(db, [used.run_id]);
  const counting = recorded.find(
    ({ git_url, reference }) => git_url === used.git_url && reference === used.reference,
  );
  return counting?.commit ?? used.commit;
}

/** Of these commits, those that a run which has not ended may still read. */
export async function findCommitsInUse(db: Querier, commits: readonly string[]): Promise<string[]> {
  const rows = await db.query<{ commit: string }>({
    name: 'git-find-commits-in-use',
    text: `
select distinct u."commit"
from run_git_commits u
join runs r on r.run_id = u.run_id
where u."commit" = any($1)
  and r.phase <> 'ended'`,
    values: [commits],
  });
  return rows.map(({ commit }) => commit);
}

export interface SealedCredential {
  readonly credentialId: number;
  readonly principalId: number;
  readonly sealedToken: Buffer;
}

export function listCredentialsSealedBy(
  db: Querier,
  page: { readonly fingerprint: string; readonly afterId: number; readonly limit: number },
): Promise<SealedCredential[]> {
  return db.query<SealedCredential>({
    name: 'git-list-credentials-sealed-by',
    text: `
select credential_id as "credentialId", principal_id as "principalId", sealed_token as "sealedToken"
from git_credentials
where key_fingerprint = $1
  and credential_id > $2
  and sealed_token is not null
order by credential_id
limit $3`,
    values: [page.fingerprint, page.afterId, page.limit],
  });
}

export async function resealCredential(
  db: Querier,
  credentialId: number,
  anew: { readonly sealed: Buffer; readonly by: string },
): Promise<void> {
  await db.query({
    name: 'git-reseal-credential',
    text: 'update git_credentials set sealed_token = $2, key_fingerprint = $3 where credential_id = $1',
    values: [credentialId, anew.sealed, anew.by],
  });
}
