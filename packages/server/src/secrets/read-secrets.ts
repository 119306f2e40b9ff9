import {
  ApiError,
  type SecretMetadata,
  type SecretScope,
  secretScopesMax,
  secretsPerScopeMax,
} from '@headrace/api';
import type { Principal } from '../context.ts';
import type { Querier } from '../db/connect.ts';
import type { SecretServices } from './handlers.ts';
import { requireScope } from './permissions.ts';
import { openValue, type SecretName } from './seal.ts';
import { deleteSecretRow, findSecret, listScopeNames, listSecretKeys } from './store.ts';
import { toSecretMetadata, toSecretScope } from './wire.ts';

export async function listScopes(db: Querier): Promise<SecretScope[]> {
  return (await listScopeNames(db, secretScopesMax)).map(toSecretScope);
}

export async function listSecrets(
  db: Querier,
  scopeName: string,
  principal: Principal,
): Promise<SecretMetadata[]> {
  const scope = await requireScope(db, scopeName, { principal, permission: 'READ' });
  return (await listSecretKeys(db, scope.id, secretsPerScopeMax)).map(toSecretMetadata);
}

/** The value, for whoever may read the scope. */
export async function readSecret(
  { db, secretKeys }: Pick<SecretServices, 'db' | 'secretKeys'>,
  asked: SecretName,
  principal: Principal,
): Promise<{ readonly key: string; readonly value: Buffer }> {
  const scope = await requireScope(db, asked.scope, { principal, permission: 'READ' });
  const row = await findSecret(db, scope.id, asked.key);
  if (!row) throw noSuchSecret(asked);
  const key = await secretKeys.open(row.fingerprint);
  const value = openValue(key, { scope: scope.name, key: row.key }, row.sealed);
  if (value === null) {
    throw new ApiError(
      'INVALID_STATE',
      `secret ${scope.name}/${row.key} cannot be opened: its row was changed outside Headrace; put its value again`,
    );
  }
  return { key: row.key, value };
}

export async function deleteSecret(db: Querier, asked: SecretName, principal: Principal): Promise<void> {
  const scope = await requireScope(db, asked.scope, { principal, permission: 'WRITE' });
  if (!(await deleteSecretRow(db, scope.id, asked.key))) throw noSuchSecret(asked);
}

function noSuchSecret({ scope, key }: SecretName): ApiError {
  return new ApiError(
    'RESOURCE_DOES_NOT_EXIST',
    `Secret does not exist with scope: ${scope} and key: ${key}`,
  );
}
