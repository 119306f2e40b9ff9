/** Finds the principal behind a token: a stored one by its hash, a task's own by the verifier of the runs slice. */
import type { Principal } from '../context.ts';
import type { Querier } from '../db/connect.ts';
import type { Authenticated, Authenticator } from '../http/auth.ts';
import type { Clock } from '../services.ts';
import { hashSecret } from './secrets.ts';
import { findTokenPrincipal } from './store.ts';

/** Accepts `hrt_…` while its attempt is live; null otherwise. */
export type VerifyTaskToken = (token: string) => Promise<Principal | null>;

export interface CachingAuthenticator extends Authenticator {
  /** After a token was revoked: no cached answer may outlive it. */
  forgetAll(): void;
}

/** How long another server's revocation may go unnoticed here. */
const cachedMs = 5_000;
const cachedMax = 1_000;
const taskTokenPrefix = 'hrt_';

export function createAuthenticator(
  { db, clock }: { db: Querier; clock: Clock },
  verifyTaskToken: VerifyTaskToken,
): CachingAuthenticator {
  const cache = new Map<string, { found: Authenticated; untilMs: number }>();

  async function findStored(token: string): Promise<Authenticated | null> {
    const nowMs = clock.nowMs();
    const hash = hashSecret(token);
    const key = hash.toString('base64');
    const cached = cache.get(key);
    if (cached && cached.untilMs > nowMs) return cached.found;
    const row = await findTokenPrincipal(db, hash, nowMs);
    if (!row) return null;
    const principal = { id: row.id, userName: row.userName, isAdmin: row.isAdmin };
    const found: Authenticated = {
      principal,
      caller: `token ${key}`,
      ...(row.kind === 'worker' ? { scope: 'workers' } : {}),
    };
    if (cache.size >= cachedMax) cache.clear();
    cache.set(key, {
      found,
      untilMs: Math.min(nowMs + cachedMs, row.expiresAtMs ?? Number.MAX_SAFE_INTEGER),
    });
    return found;
  }

  return {
    async findPrincipal(token) {
      if (!token.startsWith(taskTokenPrefix)) return findStored(token);
      const principal = await verifyTaskToken(token);
      // What precedes the signature tells tasks apart.
      return (
        principal && {
          principal,
          caller: `task ${token.slice(0, token.lastIndexOf('.'))}`,
          scope: 'task',
          // Verified with the rest.
          attemptId: Number(token.slice(taskTokenPrefix.length, token.indexOf('.'))),
        }
      );
    },
    forgetAll: () => cache.clear(),
  };
}
