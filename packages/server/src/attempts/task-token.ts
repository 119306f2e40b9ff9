/**
 * Tokens that a task gets for its own principal: signed, not stored. Good while the attempt is live under the claim
 * that the token was made for; a worker that comes back takes the attempt with the token that it already has.
 *
 *   hrt_<attempt id>.<epoch>.<principal id>.<expiry in s>.<mac>
 */
import crypto from 'node:crypto';
import type { Principal } from '../context.ts';
import type { Querier } from '../db/connect.ts';
import { findLiveClaim, readOrMakeTokenKey } from './store.ts';

export interface TaskTokenClaims {
  readonly attemptId: number;
  readonly epoch: number;
  readonly principalId: number;
  readonly expiresAtS: number;
}

/** No attempt needs it for longer; one that does is live for other reasons to worry. */
export const taskTokenLifetimeMs = 7 * 24 * 60 * 60 * 1000;
const prefix = 'hrt_';

export function mintTaskToken(key: crypto.KeyObject, claims: TaskTokenClaims): string {
  const text = `${claims.attemptId}.${claims.epoch}.${claims.principalId}.${claims.expiresAtS}`;
  return `${prefix}${text}.${macOf(key, text).toString('base64url')}`;
}

/** Null for a token that we did not sign, or that has expired. Whether its attempt is live is asked elsewhere. */
export function readTaskToken(key: crypto.KeyObject, token: string, nowMs: number): TaskTokenClaims | null {
  const match = /^hrt_((\d{1,16})\.(\d{1,9})\.(\d{1,16})\.(\d{1,12}))\.([\w-]{43})$/.exec(token);
  if (!match) return null;
  const [, text = '', attemptId, epoch, principalId, expiresAtS, mac = ''] = match;
  if (!crypto.timingSafeEqual(macOf(key, text), Buffer.from(mac, 'base64url'))) return null;
  if (Number(expiresAtS) * 1000 <= nowMs) return null;
  return {
    attemptId: Number(attemptId),
    epoch: Number(epoch),
    principalId: Number(principalId),
    expiresAtS: Number(expiresAtS),
  };
}

/** The store's key, made by the first server that asks: tokens outlive a restart. */
export async function loadTaskTokenKey(db: Querier): Promise<crypto.KeyObject> {
  // A key object is made ready once; from bytes, each token would make one anew.
  return crypto.createSecretKey(await readOrMakeTokenKey(db, crypto.randomBytes(32)));
}

/** Liveness is asked at most this often for one token: a task makes many requests in a row. */
const cachedMs = 1_000;
const cachedMax = 1_000;

export function createTaskTokenVerifier(options: {
  readonly db: Querier;
  readonly clock: { nowMs(): number };
  readonly key: crypto.KeyObject;
  readonly readPrincipal: (principalId: number) => Promise<Principal | null>;
}): (token: string) => Promise<Principal | null> {
  const { db, clock, key, readPrincipal } = options;
  const cache = new Map<string, { principal: Principal; untilMs: number }>();
  return async (token) => {
    const nowMs = clock.nowMs();
    const claims = readTaskToken(key, token, nowMs);
    if (!claims) return null;
    const cached = cache.get(token);
    if (cached && cached.untilMs > nowMs) return cached.principal;
    cache.delete(token);
    if (!(await findLiveClaim(db, claims))) return null;
    const principal = await readPrincipal(claims.principalId);
    if (!principal) return null;
    if (cache.size >= cachedMax) cache.clear();
    cache.set(token, { principal, untilMs: nowMs + cachedMs });
    return principal;
  };
}

function macOf(key: crypto.KeyObject, text: string): Buffer {
  return crypto.createHmac('sha256', key).update(text).digest();
}
