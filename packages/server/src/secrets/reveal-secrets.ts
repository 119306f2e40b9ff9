/** Values for the host of a cluster, with the rights of whoever its tasks act for. */
import { ApiError } from '@headrace/api';
import { findActivePrincipal } from '../tokens/find-principal.ts';
import type { SecretServices } from './handlers.ts';
import { readSecret } from './read-secrets.ts';
import type { SecretName } from './seal.ts';

export type RevealSecrets = (asked: {
  readonly principalId: number;
  readonly references: readonly SecretName[];
}) => Promise<readonly Buffer[]>;

export function createRevealSecrets(services: Pick<SecretServices, 'db' | 'secretKeys'>): RevealSecrets {
  return async ({ principalId, references }) => {
    const principal = await findActivePrincipal(services.db, principalId);
    if (!principal)
      throw new ApiError('PERMISSION_DENIED', `principal ${principalId} is gone, or may not act any more`);
    const values: Buffer[] = [];
    for (const reference of references) values.push((await readSecret(services, reference, principal)).value);
    return values;
  };
}
