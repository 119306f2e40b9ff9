/** Browsers sign in with a link that works once and get a session as a cookie that no script can read. */
import crypto from 'node:crypto';
import { ApiError } from '@headrace/api';
import { sessionCookie } from '../http/auth.ts';
import type { Services } from '../services.ts';
import { hashSecret, makeSecret, tokenPrefix } from './secrets.ts';
import { deleteSessions, insertSignInLink, insertToken, takeSignInLink } from './store.ts';

/** Long enough to walk to another window. */
const linkMs = 10 * 60_000;
const sessionMs = 12 * 3_600_000;

export async function makeSignInLink(
  { db }: Pick<Services, 'db'>,
  { principalId, nowMs }: { principalId: number; nowMs: number },
): Promise<{ code: string; expiresAtMs: number }> {
  const code = makeSecret();
  const expiresAtMs = nowMs + linkMs;
  await insertSignInLink(db, { hash: hashSecret(code), principalId, expiresAtMs });
  return { code, expiresAtMs };
}

/** The value of Set-Cookie. */
export async function signInWithCode(
  { db }: Pick<Services, 'db'>,
  { code, nowMs, publicUrl }: { code: string; nowMs: number; publicUrl: string },
): Promise<string> {
  const principalId = await takeSignInLink(db, hashSecret(code), nowMs);
  if (principalId === null) {
    throw new ApiError(
      'UNAUTHENTICATED',
      'this sign-in link was used already or has expired: "headrace up" prints a new one',
    );
  }
  const secret = `${tokenPrefix}${makeSecret()}`;
  await insertToken(db, {
    id: crypto.randomBytes(16).toString('hex'),
    principalId,
    kind: 'session',
    comment: 'browser',
    hash: hashSecret(secret),
    createdAtMs: nowMs,
    expiresAtMs: nowMs + sessionMs,
  });
  const secure = publicUrl.startsWith('https:') ? '; Secure' : '';
  return `${sessionCookie}=${secret}; Path=/; Max-Age=${sessionMs / 1000}; HttpOnly; SameSite=Strict${secure}`;
}

/** Ends every session of the principal: the cookie itself, wherever it was copied to, is worth nothing after it. */
export async function signOutAll({ db }: Pick<Services, 'db'>, principalId: number): Promise<void> {
  await deleteSessions(db, principalId);
}
