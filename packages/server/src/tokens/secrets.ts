/** Random secrets and what is stored of them. A SHA-256 suffices: they are random, not chosen by people. */
import crypto from 'node:crypto';

/** Tokens of users start with `hrp_` (task tokens: `hrt_`), so that scanners and people know one when they see it. */
export const tokenPrefix = 'hrp_';

export function makeSecret(): string {
  return crypto.randomBytes(32).toString('base64url');
}

export function hashSecret(secret: string): Buffer {
  return crypto.createHash('sha256').update(secret).digest();
}
