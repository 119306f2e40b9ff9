import { ApiError, secretsPerScopeMax, secretValueBytesMax } from '@headrace/api';
import type { Principal } from '../context.ts';
import type { SecretServices } from './handlers.ts';
import { noSuchScope, requireScope } from './permissions.ts';
import { sealValue } from './seal.ts';
import { countSecrets, lockScope, upsertSecret } from './store.ts';

export interface GivenSecret {
  readonly scope: string;
  readonly key: string;
  readonly stringValue: string | undefined;
  /** In base64. */
  readonly bytesValue: string | undefined;
}

export async function putSecret(
  { db, secretKeys }: SecretServices,
  given: GivenSecret,
  { principal, nowMs }: { principal: Principal; nowMs: number },
): Promise<void> {
  const value = readValue(given);
  const { key } = given;
  const scope = await requireScope(db, given.scope, { principal, permission: 'WRITE' });
  const own = await secretKeys.own();
  const sealed = sealValue(own.key, { scope: scope.name, key }, value);
  await db.transaction(async (client) => {
    if (!(await lockScope(client, scope.id))) throw noSuchScope(given.scope);
    if ((await countSecrets(client, scope.id, key)) >= secretsPerScopeMax) {
      throw new ApiError(
        'RESOURCE_LIMIT_EXCEEDED',
        `scope ${scope.name} has ${secretsPerScopeMax} secrets, and no more are allowed: delete one first, or take another scope`,
      );
    }
    await secretKeys.confirm(client, own);
    await upsertSecret(client, {
      scopeId: scope.id,
      key,
      sealed,
      fingerprint: own.fingerprint,
      updatedAtMs: nowMs,
    });
  });
}

/** Messages never repeat any of it. */
function readValue({ stringValue, bytesValue }: GivenSecret): Buffer {
  if (stringValue !== undefined && bytesValue !== undefined)
    throw new ApiError('MALFORMED_REQUEST', 'string_value and bytes_value: give one of them, not both');
  const value = stringValue === undefined ? readBytes(bytesValue) : Buffer.from(stringValue, 'utf8');
  if (value.length > secretValueBytesMax) {
    throw new ApiError(
      'INVALID_PARAMETER_VALUE',
      `the value has ${value.length} bytes, and a secret may have ${secretValueBytesMax}`,
    );
  }
  return value;
}

function readBytes(text: string | undefined): Buffer {
  if (text === undefined)
    throw new ApiError('INVALID_PARAMETER_VALUE', 'string_value or bytes_value: one of them must be given');
  const compact = text.replaceAll(/\s/g, '');
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(compact) || compact.replaceAll('=', '').length % 4 === 1)
    throw new ApiError('INVALID_PARAMETER_VALUE', 'bytes_value: expected bytes in base64');
  return Buffer.from(compact, 'base64');
}
