/**
 * Links to parts of results: whoever has one may read that part until it expires, without a token, as clients expect of
 * links into a cloud's storage.
 *
 *   <statement id>.<chunk>.<expiry in s>.<mac>
 */
import crypto, { type KeyObject } from 'node:crypto';

export interface LinkClaims {
  readonly statementId: string;
  readonly index: number;
  readonly expiresAtS: number;
}

export function signLink(key: KeyObject, { statementId, index, expiresAtS }: LinkClaims): string {
  const text = `${statementId}.${index}.${expiresAtS}`;
  return `${text}.${macOf(key, text).toString('base64url')}`;
}

/** Null for a link that we did not sign, or that has expired. */
export function readLink(key: KeyObject, link: string, nowMs: number): LinkClaims | null {
  const match = /^(([0-9a-f-]{36})\.(\d{1,9})\.(\d{1,12}))\.([\w-]{43})$/.exec(link);
  if (!match) return null;
  const [, text = '', statementId = '', index, expiresAtS, mac = ''] = match;
  if (!crypto.timingSafeEqual(macOf(key, text), Buffer.from(mac, 'base64url'))) return null;
  if (Number(expiresAtS) * 1000 <= nowMs) return null;
  return { statementId, index: Number(index), expiresAtS: Number(expiresAtS) };
}

/** The key is that of task tokens: the prefix keeps the two apart. */
function macOf(key: KeyObject, text: string): Buffer {
  return crypto.createHmac('sha256', key).update(`statement result ${text}`).digest();
}
