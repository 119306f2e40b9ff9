/** The values of scopes, sealed anew. */

import { listSealedBy, resealSecret } from './key-store.ts';
import type { ResealPage, SealedPlace } from './reseal-loop.ts';
import { openValue, sealValue } from './seal.ts';

export const sealedSecrets: SealedPlace = {
  name: 'secrets',
  async resealPage(client, { from, to, after, limit }: ResealPage) {
    const rows = await listSealedBy(client, { fingerprint: from.fingerprint, after, limit });
    const unreadable: string[] = [];
    for (const row of rows) {
      const name = { scope: row.scope, key: row.key };
      const value = openValue(from.key, name, row.sealed);
      if (value === null) unreadable.push(`${row.scope}/${row.key}`);
      else await resealSecret(client, row, { sealed: sealValue(to.key, name, value), by: to.fingerprint });
    }
    const next = rows.length < limit ? null : (rows.at(-1)?.position ?? null);
    return { resealed: rows.length - unreadable.length, unreadable, next };
  },
};
