/** Git credentials: each is its principal's own, an administrator's also to manage; the token never comes back out. */
import {
  ApiError,
  findGitProvider,
  type GitCredential,
  type GitProviderName,
  gitProviders,
} from '@headrace/api';
import { assert } from '../assert.ts';
import type { Principal } from '../context.ts';
import type { Querier } from '../db/connect.ts';
import { openValue, sealValue } from '../secrets/seal.ts';
import type { OwnKey, SecretKeys } from '../secrets/secret-key.ts';
import type { Services } from '../services.ts';
import type { GitLogin } from './git-remote.ts';
import { type GitUrl, mayReceiveToken } from './git-url.ts';
import {
  type CredentialRow,
  clearDefaults,
  deleteCredential,
  insertCredential,
  listCredentials,
  lockCredentialsOf,
  updateCredential,
} from './store.ts';

export interface CredentialServices extends Pick<Services, 'db' | 'ids'> {
  readonly keys: SecretKeys;
}

/** As many as anybody can tell apart. */
const credentialsMax = 100;

export interface CredentialFields {
  readonly git_provider?: string | undefined;
  readonly git_username?: string | undefined;
  readonly git_email?: string | undefined;
  readonly name?: string | undefined;
  readonly is_default_for_provider?: boolean | undefined;
  readonly personal_access_token?: string | undefined;
}

/** Whose credentials are meant; those of others are an administrator's business. */
export function principalOf(principal: Principal, asked: number | undefined): number {
  if (asked === undefined || asked === principal.id || principal.isAdmin) return asked ?? principal.id;
  throw new ApiError(
    'PERMISSION_DENIED',
    `${principal.userName} may not use the Git credentials of principal ${asked}`,
  );
}

export async function createCredential(
  { db, ids, keys }: CredentialServices,
  {
    fields,
    principalId,
    nowMs,
  }: { readonly fields: CredentialFields; readonly principalId: number; readonly nowMs: number },
): Promise<GitCredential> {
  const provider = requireProvider('git_provider', fields.git_provider ?? '');
  const credentialId = ids.newId();
  const own = await ownKeyFor(keys, fields);
  return db.transaction(async (client) => {
    if (own) await keys.confirm(client, own);
    await lockCredentialsOf(client, principalId);
    const others = await listCredentials(client, principalId);
    if (others.length >= credentialsMax) {
      throw new ApiError('INVALID_STATE', `there are ${others.length} Git credentials already; delete some`);
    }
    const isFirst = !others.some((row) => row.provider === provider);
    const row: CredentialRow = {
      credentialId,
      principalId,
      provider,
      username: fields.git_username ?? null,
      email: fields.git_email ?? null,
      name: fields.name ?? null,
      isDefault: fields.is_default_for_provider ?? isFirst,
      ...(sealToken(own, credentialId, fields) ?? { sealedToken: null, keyFingerprint: null }),
    };
    if (row.isDefault) await clearDefaults(client, row);
    await insertCredential(client, row, nowMs);
    return toDocument(row);
  });
}

export async function listOwnCredentials(db: Querier, principalId: number): Promise<GitCredential[]> {
  return (await listCredentials(db, principalId)).map(toDocument);
}

export async function getCredential(db: Querier, key: CredentialKey): Promise<GitCredential> {
  return toDocument(await requireCredential(db, key));
}

export async function changeCredential(
  { db, keys }: CredentialServices,
  key: CredentialKey,
  fields: CredentialFields,
): Promise<void> {
  const own = await ownKeyFor(keys, fields);
  await db.transaction(async (client) => {
    if (own) await keys.confirm(client, own);
    await lockCredentialsOf(client, key.principalId);
    const before = await requireCredential(client, key);
    const row: CredentialRow = {
      ...before,
      provider:
        fields.git_provider === undefined
          ? before.provider
          : requireProvider('git_provider', fields.git_provider),
      username: fields.git_username ?? before.username,
      email: fields.git_email ?? before.email,
      name: fields.name ?? before.name,
      isDefault: fields.is_default_for_provider ?? before.isDefault,
      ...sealToken(own, key.credentialId, fields),
    };
    if (row.isDefault) await clearDefaults(client, row);
    await updateCredential(client, row);
  });
}

export async function forgetCredential(db: Querier, key: CredentialKey): Promise<void> {
  if (!(await deleteCredential(db, key))) throw noCredential(key);
}

export interface CredentialKey {
  readonly credentialId: number;
  readonly principalId: number;
}

/** What a principal shows to the server of a URL: the named credential, else its default for the provider. */
export async function findLogin(
  { db, keys }: Pick<CredentialServices, 'db' | 'keys'>,
  wanted: {
    readonly url: GitUrl;
    readonly provider: GitProviderName;
    readonly principalId: number;
    readonly credentialId?: number | null;
  },
): Promise<GitLogin | null> {
  const { url, provider, principalId, credentialId = null } = wanted;
  if (!mayReceiveToken(url, provider)) return null;
  const rows = (await listCredentials(db, principalId)).filter((row) => row.provider === provider);
  const chosen =
    rows.find((row) => row.credentialId === credentialId) ?? rows.find((row) => row.isDefault) ?? rows[0];
  if (!chosen?.sealedToken) return null;
  const key = await keys.open(chosen.keyFingerprint);
  const token = openValue(key, sealedAs(chosen.credentialId), chosen.sealedToken);
  assert(token, `Git credential ${chosen.credentialId} does not open with the key that it names`);
  return { user: chosen.username || (userNames[provider] ?? 'git'), token: token.toString('utf8') };
}

/** What the providers' documentation asks for beside a token where there is no user name. */
const userNames: Partial<Record<GitProviderName, string>> = {
  gitHub: 'x-access-token',
  gitLab: 'oauth2',
  gitLabEnterpriseEdition: 'oauth2',
  bitbucketCloud: 'x-token-auth',
};

export function requireProvider(field: string, text: string): GitProviderName {
  const provider = findGitProvider(text);
  if (provider) return provider;
  throw new ApiError(
    'INVALID_PARAMETER_VALUE',
    `${field}: "${text.slice(0, 100)}" is no Git provider; there are ${gitProviders.join(', ')}`,
  );
}

export async function requireCredential(db: Querier, key: CredentialKey): Promise<CredentialRow> {
  const rows = await listCredentials(db, key.principalId);
  const row = rows.find(({ credentialId }) => credentialId === key.credentialId);
  if (!row) throw noCredential(key);
  return row;
}

function noCredential({ credentialId }: CredentialKey): ApiError {
  return new ApiError('RESOURCE_DOES_NOT_EXIST', `Git credential ${credentialId} does not exist.`);
}

async function ownKeyFor(keys: SecretKeys, fields: CredentialFields): Promise<OwnKey | null> {
  return fields.personal_access_token === undefined ? null : keys.own();
}

function sealToken(
  own: OwnKey | null,
  credentialId: number,
  { personal_access_token: token }: CredentialFields,
): Pick<CredentialRow, 'sealedToken' | 'keyFingerprint'> | null {
  if (own === null || token === undefined) return null;
  const sealedToken = sealValue(own.key, sealedAs(credentialId), Buffer.from(token));
  return { sealedToken, keyFingerprint: own.fingerprint };
}

/** No scope of secrets can have this name. */
export function sealedAs(credentialId: number) {
  return { scope: '*git-credentials*', key: String(credentialId) };
}

function toDocument(row: CredentialRow): GitCredential {
  return {
    credential_id: row.credentialId,
    git_provider: row.provider,
    ...(row.username === null ? {} : { git_username: row.username }),
    ...(row.email === null ? {} : { git_email: row.email }),
    ...(row.name === null ? {} : { name: row.name }),
    is_default_for_provider: row.isDefault,
  };
}
