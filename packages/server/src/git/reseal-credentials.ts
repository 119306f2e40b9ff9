/** The tokens of Git credentials, sealed anew. */
import type { ResealPage, SealedPlace } from '../secrets/reseal-loop.ts';
import { openValue, sealValue } from '../secrets/seal.ts';
import { sealedAs } from './credentials.ts';
import { listCredentialsSealedBy, lockCredentialsOf, resealCredential } from './store.ts';

export const sealedCredentials: SealedPlace = {
  name: 'git-credentials',
  async resealPage(client, { from, to, after, limit }: ResealPage) {
    const asked = { fingerprint: from.fingerprint, afterId: Number(after ?? -1), limit };
    const seen = await listCredentialsSealedBy(client, asked);
    // As whoever changes one does; in one order, so that nobody waits for each other.
    const principalIds = [...new Set(seen.map(({ principalId }) => principalId))].sort((a, b) => a - b);
    for (const principalId of principalIds) await lockCredentialsOf(client, principalId);
    const lockedIds = new Set(principalIds);
    const unreadable: string[] = [];
    let resealed = 0;
    // Read again under the locks.
    for (const row of await listCredentialsSealedBy(client, asked)) {
      if (!lockedIds.has(row.principalId)) continue;
      const value = openValue(from.key, sealedAs(row.credentialId), row.sealedToken);
      if (value === null) {
        unreadable.push(`Git credential ${row.credentialId}`);
        continue;
      }
      const sealed = sealValue(to.key, sealedAs(row.credentialId), value);
      await resealCredential(client, row.credentialId, { sealed, by: to.fingerprint });
      resealed += 1;
    }
    const next = seen.length < limit ? null : String(seen.at(-1)?.credentialId);
    return { resealed, unreadable, next };
  },
};
