/**
 * What is stored of secrets: AES-256-GCM under one key of this store, in a file of the state folder that only its owner
 * reads. What a text was sealed for is bound to it: moved to another row, it does not open.
 *
 *   1 byte version │ 12 bytes nonce │ 16 bytes tag │ ciphertext
 */
import crypto from 'node:crypto';
import fs from 'node:fs/promises';
import path from 'node:path';
import { StartError } from '../start-error.ts';

export interface Cipher {
  /** @param purpose what it is and of whom, for example `git-credential/1042`. */
  seal(text: string, purpose: string): Buffer;
  /** Throws when it was sealed under another key or for another purpose, or was changed. */
  open(sealed: Buffer, purpose: string): string;
}

const version = 1;
const nonceBytes = 12;
const tagBytes = 16;
const keyBytes = 32;
const algorithm = 'aes-256-gcm';
export const keyFileName = 'secrets.key';

/** @param given the key in base64; null: that of the file, which the first start makes. */
export async function loadCipher(stateDir: string, given: string | null): Promise<Cipher> {
  const key = given === null ? await readOrMakeKey(path.join(stateDir, keyFileName)) : parseKey(given);
  if (key === null) {
    const where = given === null ? path.join(stateDir, keyFileName) : 'HEADRACE_SECRETS_KEY';
    throw new StartError(
      `${where}: expected ${keyBytes} bytes in base64, as "openssl rand -base64 32" makes them`,
    );
  }
  return createCipher(key);
}

export function createCipher(keyBytesGiven: Buffer): Cipher {
  const key = crypto.createSecretKey(keyBytesGiven);
  return {
    seal(text, purpose) {
      const nonce = crypto.randomBytes(nonceBytes);
      const cipher = crypto.createCipheriv(algorithm, key, nonce).setAAD(Buffer.from(purpose));
      const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
      return Buffer.concat([Buffer.of(version), nonce, cipher.getAuthTag(), body]);
    },
    open(sealed, purpose) {
      const bodyAt = 1 + nonceBytes + tagBytes;
      if (sealed.length < bodyAt || sealed[0] !== version)
        throw new Error(`what is stored for ${purpose} is no sealed text`);
      const decipher = crypto.createDecipheriv(algorithm, key, sealed.subarray(1, 1 + nonceBytes), {
        authTagLength: tagBytes,
      });
      decipher.setAuthTag(sealed.subarray(1 + nonceBytes, bodyAt)).setAAD(Buffer.from(purpose));
      try {
        return Buffer.concat([decipher.update(sealed.subarray(bodyAt)), decipher.final()]).toString('utf8');
      } catch (error) {
        throw new Error(`what is stored for ${purpose} cannot be opened with this server's key`, {
          cause: error,
        });
      }
    },
  };
}

/** Of two servers that start at once on one folder, both use the key of the first. */
async function readOrMakeKey(file: string): Promise<Buffer | null> {
  const draft = `${file}.${crypto.randomUUID()}.draft`;
  try {
    return parseKey(await fs.readFile(file, 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  try {
    await fs.writeFile(draft, `${crypto.randomBytes(keyBytes).toString('base64')}\n`, {
      flag: 'wx',
      mode: 0o600,
    });
    // A link, not a rename: it does not replace a key that another has made meanwhile.
    await fs.link(draft, file).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  } finally {
    await fs.rm(draft, { force: true });
  }
  return parseKey(await fs.readFile(file, 'utf8'));
}

function parseKey(text: string): Buffer | null {
  const key = Buffer.from(text.trim(), 'base64');
  return key.length === keyBytes ? key : null;
}
