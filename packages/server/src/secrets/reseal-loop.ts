/**
 * Seals anew what an older key has sealed, a page in each turn, until nothing needs that key. Which keys those are is
 * in the store, so any server that turns loops goes on where another has stopped.
 */
import type crypto from 'node:crypto';
import { ApiError } from '@headrace/api';
import type { Querier } from '../db/connect.ts';
import type { Loop } from '../loops/driver.ts';
import type { Services } from '../services.ts';
import { forgetUnusedKeys, listRetiringKeys, lockKeyFingerprint, recordUnreadable } from './key-store.ts';
import { retireUnusedKeys } from './rotate-key.ts';
import type { OwnKey, SecretKeys } from './secret-key.ts';

/** Short transactions: whoever stores a secret meanwhile waits for one of them. */
export const resealPageMax = 50;
const everyMs = 60_000;

/** Where sealed values lie. */
export interface SealedPlace {
  readonly name: string;
  /** The next values that the key has sealed, in an order that stays; within a transaction. */
  resealPage(client: Querier, page: ResealPage): Promise<ResealedPage>;
}

export interface ResealPage {
  readonly from: { readonly key: crypto.KeyObject; readonly fingerprint: string };
  readonly to: OwnKey;
  /** Null: from the first on. */
  readonly after: string | null;
  readonly limit: number;
}

export interface ResealedPage {
  readonly resealed: number;
  /** What does not open: changed outside Headrace, so it is left as it is. */
  readonly unreadable: readonly string[];
  /** Null when this was the last page. */
  readonly next: string | null;
}

export interface ResealServices extends Pick<Services, 'db' | 'log'> {
  readonly secretKeys: SecretKeys;
  readonly places: readonly SealedPlace[];
}

interface Progress {
  readonly fingerprint: string;
  readonly place: number;
  readonly after: string | null;
  readonly unreadable: readonly string[];
}

export const resealLoopName = 'reseal-secrets';

export function createResealLoop(services: ResealServices): Loop {
  const { db, log, secretKeys, places } = services;
  let progress: Progress | null = null;
  let told = '';

  async function passOn(fingerprint: string): Promise<'again' | 'idle'> {
    const at: Progress =
      progress?.fingerprint === fingerprint
        ? progress
        : { fingerprint, place: 0, after: null, unreadable: [] };
    const place = places[at.place];
    if (place) {
      const page = await resealNext(services, place, at);
      const unreadable = [...at.unreadable, ...page.unreadable];
      const isPlaceDone = page.next === null;
      progress = { fingerprint, place: at.place + (isPlaceDone ? 1 : 0), after: page.next, unreadable };
      return 'again';
    }
    progress = null;
    await recordUnreadable(db, { fingerprint, unreadable: at.unreadable.length });
    if (at.unreadable.length > 0) {
      const names = at.unreadable.slice(0, 5).join(', ');
      tellOnce(`values that do not open keep their key: put these again: ${names}`, { key: fingerprint });
      return 'idle';
    }
    return 'again';
  }

  /** Before any of them is opened: this server may lack a key that nothing needs any more. */
  async function listNeeded(): Promise<string[]> {
    const retiring = await listRetiringKeys(db);
    if (progress !== null || retiring.length === 0) return retiring;
    return db.transaction(async (client) => {
      await lockKeyFingerprint(client);
      await forgetUnusedKeys(client);
      return listRetiringKeys(client);
    });
  }

  /** A turn that changes nothing tells nothing new. */
  function tellOnce(message: string, facts: object = {}): void {
    if (told !== message) log.warn(facts, message);
    told = message;
  }

  async function retire(): Promise<void> {
    try {
      const keys = await retireUnusedKeys(services);
      if (keys.length > 0) log.info({ keys, file: secretKeys.file }, 'keys of secrets retired');
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      tellOnce(error.message);
    }
  }

  return {
    name: resealLoopName,
    everyMs,
    async turn() {
      try {
        const [fingerprint] = await listNeeded();
        if (fingerprint !== undefined) return await passOn(fingerprint);
        await retire();
      } catch (error) {
        // A key that this server lacks: the doctor tells it, with the cure.
        if (!(error instanceof ApiError)) throw error;
        progress = null;
      }
      return 'idle';
    },
  };
}

async function resealNext(
  { db, secretKeys }: ResealServices,
  place: SealedPlace,
  { fingerprint, after }: Progress,
): Promise<ResealedPage> {
  const from = { fingerprint, key: await secretKeys.open(fingerprint) };
  const to = await secretKeys.own();
  return db.transaction(async (client) => {
    await secretKeys.confirm(client, to);
    return place.resealPage(client, { from, to, after, limit: resealPageMax });
  });
}
