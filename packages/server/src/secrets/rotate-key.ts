/**
 * A new key for what is sealed. Each step can be the last one of a process, and asking again goes on from there:
 *
 *   the new key is in the file ▶ the store names it, and the old one as retiring ▶ values are sealed anew, some at a
 *   time (reseal-loop.ts) ▶ nothing uses the old one: it retires ▶ its line is moved to a file of its own
 */
import { ApiError, type SecretKeyStatus } from '@headrace/api';
import type { Querier } from '../db/connect.ts';
import type { Services } from '../services.ts';
import { addKey, readKeyFile, readRetiredKey, retireKeys } from './key-file.ts';
import {
  countSealed,
  findKeyFingerprint,
  listRetiringKeys,
  lockKeyFingerprint,
  recordRetiringKey,
  replaceKeyFingerprint,
} from './key-store.ts';
import { lacksKey, type SecretKeys } from './secret-key.ts';

export interface RotationServices {
  readonly db: Services['db'];
  readonly secretKeys: SecretKeys;
  /** Whether other servers may have the store too, each perhaps with a copy of the file. */
  readonly isShared: boolean;
}

export async function rotateKey(services: RotationServices, nowMs: number): Promise<SecretKeyStatus> {
  const { db, secretKeys, isShared } = services;
  const { file } = secretKeys;
  await db.transaction(async (client) => {
    const current = await lockKeyFingerprint(client);
    if (current === null) throw sealedNothing();
    if ((await listRetiringKeys(client)).length > 0) return;
    const next = (await keysAfter(file, current)).at(-1) ?? null;
    // The others must have it before anything is sealed with it.
    if (next === null && isShared) await addKey(file);
    else await useKey(client, { current, next: (next ?? (await addKey(file))).fingerprint, nowMs });
  });
  return readKeyStatus(services);
}

function sealedNothing(): ApiError {
  return new ApiError(
    'INVALID_STATE',
    'nothing has been sealed in this store yet: its key is made with the first secret, and there is none to change',
  );
}

/** Of those that seal nothing yet, the last one in the file is next: made here or written by somebody. */
async function keysAfter(file: string, current: string) {
  const keys = await readKeyFile(file);
  const at = keys.findIndex(({ fingerprint }) => fingerprint === current);
  if (at >= 0) return keys.slice(at + 1);
  // As an older backup finds it: what sealed then has retired since, and all in the file came later.
  if ((await readRetiredKey(file, current)) !== null) return keys;
  throw lacksKey({ file, fingerprint: current, found: keys });
}

async function useKey(
  client: Querier,
  { current, next, nowMs }: { readonly current: string; readonly next: string; readonly nowMs: number },
): Promise<void> {
  await recordRetiringKey(client, { fingerprint: current, sinceMs: nowMs });
  await replaceKeyFingerprint(client, next);
}

export async function readKeyStatus({
  db,
  secretKeys,
}: Pick<RotationServices, 'db' | 'secretKeys'>): Promise<SecretKeyStatus> {
  const { file } = secretKeys;
  const fingerprint = await findKeyFingerprint(db);
  const retiring = await listRetiringKeys(db);
  const { values, left, unreadable } = await countSealed(db, retiring);
  const lack = await secretKeys.findProblem();
  const next = fingerprint === null || lack !== null ? [] : await keysAfter(file, fingerprint);
  const problem = lack ?? (left > 0 && unreadable >= left ? doNotOpen(left, retiring) : null);
  return {
    state: retiring.length > 0 ? 'RESEALING' : next.length > 0 ? 'PREPARED' : 'SETTLED',
    ...(fingerprint === null ? {} : { fingerprint }),
    ...{ file, values, values_left: left, retiring },
    ...(problem === null ? {} : { problem }),
  };
}

function doNotOpen(count: number, retiring: readonly string[]): string {
  const what =
    count === 1 ? '1 value that is left does not open' : `the ${count} values that are left do not open`;
  return (
    `${what}, so key ${retiring.join(', ')} cannot retire: the server's log names what it is, and it has to be put ` +
    'again or deleted'
  );
}

/** Keys before the one that seals which nothing uses; the store's lock keeps others from the file meanwhile. */
export async function retireUnusedKeys({
  db,
  secretKeys: { file },
}: Pick<RotationServices, 'db' | 'secretKeys'>): Promise<readonly string[]> {
  if ((await readKeyFile(file)).length < 2) return [];
  return db.transaction(async (client) => {
    const current = await lockKeyFingerprint(client);
    const keys = await readKeyFile(file);
    const at = keys.findIndex(({ fingerprint }) => fingerprint === current);
    if (at < 1) return [];
    const retiring = new Set(await listRetiringKeys(client));
    const unused = keys.slice(0, at).filter(({ fingerprint }) => !retiring.has(fingerprint));
    const names = unused.map(({ fingerprint }) => fingerprint);
    if (names.length > 0) await retireKeys(file, new Set(names));
    return names;
  });
}
