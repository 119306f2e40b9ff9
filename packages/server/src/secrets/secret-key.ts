/**
 * The keys that seal this store's secrets: in a file, which is not in the store (key-file.ts). The store knows their
 * fingerprints only, so a server that lacks one refuses, and says what to do about it.
 */
import type crypto from 'node:crypto';
import { ApiError } from '@headrace/api';
import type { Querier } from '../db/connect.ts';
import { makeKeyFile, type OwnKey, readKeyFile, readRetiredKey } from './key-file.ts';
import {
  claimKeyFingerprint,
  findKeyFingerprint,
  forgetUnusedKeys,
  hasSecrets,
  listRetiringKeys,
  replaceKeyFingerprint,
} from './key-store.ts';

export type { OwnKey } from './key-file.ts';

export interface SecretKeys {
  readonly file: string;
  /** The key that seals; made when the store has sealed nothing yet. Before the transaction that seals. */
  own(): Promise<OwnKey>;
  /** Within the transaction that seals: that everybody else will read what this key seals. */
  confirm(client: Querier, own: OwnKey): Promise<void>;
  /** The key of a fingerprint. */
  open(fingerprint: string | null): Promise<crypto.KeyObject>;
  /** Why what is sealed cannot be read here; null when it can, or nothing is. */
  findProblem(): Promise<string | null>;
}

export function createSecretKeys({ db, file }: { db: Querier; file: string }): SecretKeys {
  let loaded: readonly OwnKey[] = [];

  /** Read again until it fits: the cure for a wrong one is to replace the file, and no restart. */
  async function find(fingerprint: string): Promise<OwnKey | null> {
    const isIt = (key: OwnKey) => key.fingerprint === fingerprint;
    const known = loaded.find(isIt);
    if (known) return known;
    loaded = await readKeyFile(file);
    const found = loaded.find(isIt) ?? (await readRetiredKey(file, fingerprint));
    if (found && !loaded.includes(found)) loaded = [found, ...loaded];
    return found;
  }

  async function require(fingerprint: string | null): Promise<OwnKey> {
    const found = fingerprint === null ? null : await find(fingerprint);
    if (found === null) throw lacksKey({ file, fingerprint, found: loaded });
    return found;
  }

  /** Nothing is lost with a key that seals nothing: then any will do. */
  async function takeAny(): Promise<OwnKey> {
    loaded = await readKeyFile(file);
    const newest = loaded.at(-1) ?? (await makeKeyFile(file));
    loaded = [...loaded, newest];
    return newest;
  }

  return {
    file,
    open: async (fingerprint) => (await require(fingerprint)).key,
    async findProblem() {
      const fingerprint = await findKeyFingerprint(db);
      if (fingerprint === null || !(await hasSecrets(db))) return null;
      const retiring = await listRetiringKeys(db);
      try {
        for (const needed of [fingerprint, ...retiring]) await require(needed);
      } catch (error) {
        if (error instanceof ApiError) return error.message;
        throw error;
      }
      return null;
    },
    async own() {
      const fingerprint = await findKeyFingerprint(db);
      if (fingerprint === null) return takeAny();
      const found = await find(fingerprint);
      if (found !== null) return found;
      if (await hasSecrets(db)) throw lacksKey({ file, fingerprint, found: loaded });
      return takeAny();
    },
    async confirm(client, own) {
      const fingerprint = await claimKeyFingerprint(client, own.fingerprint);
      if (fingerprint === own.fingerprint) return;
      if (await hasSecrets(client)) {
        await require(fingerprint);
        throw new ApiError(
          'TEMPORARILY_UNAVAILABLE',
          'the key of secrets was changed at this very moment: ask again',
        );
      }
      await replaceKeyFingerprint(client, own.fingerprint);
      await forgetUnusedKeys(client);
    },
  };
}

export function lacksKey(facts: {
  readonly file: string;
  readonly fingerprint: string | null;
  readonly found: readonly OwnKey[];
}): ApiError {
  const { file, fingerprint, found } = facts;
  const names = found.map((key) => key.fingerprint).join(', ');
  const has = found.length === 0 ? `there is no key file ${file}` : `${file} holds key ${names}`;
  return new ApiError(
    'INVALID_STATE',
    `the secrets of this store are sealed with key ${fingerprint}, and on this server ${has}: put the key file of ` +
      'the server that made them there (all servers of one store need the same, see HEADRACE_SECRETS_KEY_FILE); if ' +
      'it is lost so are the values, and a new key is taken once the scopes and Git credentials that hold them are deleted',
  );
}
