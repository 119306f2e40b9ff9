/**
 * The key that seals this store's secrets: a file of 32 random bytes, which is not in the store. The store knows its
 * fingerprint only, so a server that has another key refuses, and says what to do about it.
 */
import crypto from 'node:crypto';
import fs from 'node:fs/promises';
import path from 'node:path';
import { ApiError } from '@headrace/api';
import type { Querier } from '../db/connect.ts';
import { fingerprintOf, keyBytes } from './seal.ts';
import { claimKeyFingerprint, findKeyFingerprint, hasSecrets, replaceKeyFingerprint } from './store.ts';

export interface OwnKey {
  readonly key: crypto.KeyObject;
  readonly fingerprint: string;
}

export interface SecretKeys {
  /** This server's own key; made when the store has sealed nothing yet. Before the transaction that seals. */
  own(): Promise<OwnKey>;
  /** Within the transaction that seals: that everybody else will read what this key seals. */
  confirm(client: Querier, own: OwnKey): Promise<void>;
  /** The key of a fingerprint. */
  open(fingerprint: string | null): Promise<crypto.KeyObject>;
  /** Why what is sealed cannot be read here; null when it can, or nothing is. */
  findProblem(): Promise<string | null>;
}

export function createSecretKeys({ db, file }: { db: Querier; file: string }): SecretKeys {
  let loaded: OwnKey | null = null;

  /** Read again until it fits: the cure for a wrong one is to replace the file, and no restart. */
  async function load(fingerprint: string | null): Promise<OwnKey | null> {
    if (loaded !== null && (fingerprint === null || loaded.fingerprint === fingerprint)) return loaded;
    loaded = await readKeyFile(file);
    return loaded;
  }

  async function open(fingerprint: string | null): Promise<crypto.KeyObject> {
    const found = await load(fingerprint);
    if (found === null || found.fingerprint !== fingerprint) {
      throw lacksKey({ file, fingerprint, found: found?.fingerprint ?? null });
    }
    return found.key;
  }

  return {
    open,
    async findProblem() {
      const fingerprint = await findKeyFingerprint(db);
      if (fingerprint === null || !(await hasSecrets(db))) return null;
      return open(fingerprint).then(
        () => null,
        (error) => {
          if (error instanceof ApiError) return error.message;
          throw error;
        },
      );
    },
    async own() {
      const fingerprint = await findKeyFingerprint(db);
      const found = await load(fingerprint);
      if (found !== null) return found;
      if (fingerprint !== null && (await hasSecrets(db))) throw lacksKey({ file, fingerprint, found: null });
      loaded = await makeKeyFile(file);
      return loaded;
    },
    async confirm(client, own) {
      const fingerprint = await claimKeyFingerprint(client, own.fingerprint);
      if (fingerprint === own.fingerprint) return;
      // Nothing is lost with a key that seals nothing.
      if (await hasSecrets(client)) throw lacksKey({ file, fingerprint, found: own.fingerprint });
      await replaceKeyFingerprint(client, own.fingerprint);
    },
  };
}

function lacksKey(facts: { file: string; fingerprint: string | null; found: string | null }): ApiError {
  const { file, fingerprint, found } = facts;
  const has = found === null ? `there is no key file ${file}` : `${file} holds key ${found}`;
  return new ApiError(
    'INVALID_STATE',
    `the secrets of this store are sealed with key ${fingerprint}, and on this server ${has}: put the key file of ` +
      'the server that made them there (all servers of one store need the same, see HEADRACE_SECRETS_KEY_FILE); if ' +
      'it is lost so are the values, and a new key is taken once the scopes and Git credentials that hold them are deleted',
  );
}

/** Null when there is none. */
export async function readKeyFile(file: string): Promise<OwnKey | null> {
  let text: string;
  try {
    text = await fs.readFile(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return null;
    throw new ApiError('INVALID_STATE', `${file} cannot be read (${code}): it holds the key of secrets`);
  }
  const bytes = Buffer.from(text.trim(), 'base64');
  if (bytes.length !== keyBytes || bytes.toString('base64') !== text.trim()) {
    throw new ApiError(
      'INVALID_STATE',
      `${file} is no key file: expected ${keyBytes} bytes in base64, as "openssl rand -base64 ${keyBytes}" makes them`,
    );
  }
  const key = crypto.createSecretKey(bytes);
  return { key, fingerprint: fingerprintOf(key) };
}

/** Whole or not there, also when the machine dies; of several makers, all get the one that came first. */
async function makeKeyFile(file: string): Promise<OwnKey> {
  const draft = `${file}.${crypto.randomBytes(4).toString('hex')}.new`;
  const text = `${crypto.randomBytes(keyBytes).toString('base64')}\n`;
  try {
    await fs.mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
    await fs.writeFile(draft, text, { mode: 0o600, flush: true });
    // A link, not a rename: it does not replace a key that another has made meanwhile.
    await fs.link(draft, file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EEXIST')
      throw new ApiError(
        'INVALID_STATE',
        `${file} cannot be made (${code}): it is to hold the key of secrets`,
      );
  } finally {
    await fs.rm(draft, { force: true });
  }
  const made = await readKeyFile(file);
  if (made === null) throw new ApiError('INVALID_STATE', `${file} went away while it was made`);
  return made;
}
