/**
 * A value as it is stored: AES-256-GCM with a nonce of its own, bound to its scope and key, so that a row that was
 * copied to another name does not open there.
 *   1 byte version · 12 bytes nonce · 16 bytes tag · the value encrypted
 */
import crypto from 'node:crypto';

export interface SecretName {
  readonly scope: string;
  readonly key: string;
}

export const keyBytes = 32;
const version = 1;
/** What GCM is made for. Random: 2^32 values under one key before a repetition is worth a thought. */
const nonceBytes = 12;
const tagBytes = 16;
const headBytes = 1 + nonceBytes + tagBytes;

export function sealValue(key: crypto.KeyObject, name: SecretName, value: Uint8Array): Buffer {
  const nonce = crypto.randomBytes(nonceBytes);
  const cipher = crypto.createCipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes });
  cipher.setAAD(associatedData(name));
  const body = Buffer.concat([cipher.update(value), cipher.final()]);
  return Buffer.concat([Buffer.from([version]), nonce, cipher.getAuthTag(), body]);
}

/** Null for what was not sealed with this key under this name, or was changed since. */
export function openValue(key: crypto.KeyObject, name: SecretName, sealed: Buffer): Buffer | null {
  if (sealed.length < headBytes || sealed[0] !== version) return null;
  const nonce = sealed.subarray(1, 1 + nonceBytes);
  const decipher = crypto.createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes });
  decipher.setAAD(associatedData(name));
  decipher.setAuthTag(sealed.subarray(1 + nonceBytes, headBytes));
  const body = decipher.update(sealed.subarray(headBytes));
  try {
    return Buffer.concat([body, decipher.final()]);
  } catch {
    return null; // The tag does not fit; node has no other way to say so.
  }
}

/** Tells keys apart and gives nothing away of them. */
export function fingerprintOf(key: crypto.KeyObject): string {
  return crypto.createHmac('sha256', key).update('headrace secrets key').digest('hex').slice(0, 16);
}

/** Names differ in case only for the eye, and hold no zero byte. */
function associatedData({ scope, key }: SecretName): Buffer {
  return Buffer.from(`${scope.toLowerCase()}\0${key.toLowerCase()}`);
}
