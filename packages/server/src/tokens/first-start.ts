/** The administrator that the first start makes, and the token that each start mints for this machine. */
import crypto from 'node:crypto';
import os from 'node:os';
import type { Services } from '../services.ts';
import { createToken } from './personal-tokens.ts';
import { hashSecret, makeSecret, tokenPrefix } from './secrets.ts';
import {
  claimFirstToken,
  deleteExpired,
  deleteLocalTokens,
  deleteTokenByHash,
  findFirstAdmin,
  insertPrincipal,
  insertToken,
  type PrincipalRow,
} from './store.ts';

const firstTokenComment = 'made at the first start';

export async function ensureAdmin({ db, ids, clock, config }: Services): Promise<PrincipalRow> {
  const existing = await findFirstAdmin(db);
  if (existing) return existing;
  const { adminUser } = config;
  const principal = { id: ids.newId(), userName: adminUser, displayName: adminUser, isAdmin: true };
  await db.transaction((client) => insertPrincipal(client, { ...principal, createdAtMs: clock.nowMs() }));
  const admin = await findFirstAdmin(db);
  if (!admin) throw new Error(`there is no active administrator, and the name ${adminUser} is taken`);
  return admin;
}

/**
 * The administrator's first token, to be printed once; null where one was ever made. Made last in a start: a start
 * that fails half-way must not use up the only time that it is shown.
 */
export function mintFirstToken({ db, clock }: Services, principal: PrincipalRow): Promise<string | null> {
  return db.transaction(async (client) => {
    if (!(await claimFirstToken(client, principal.id))) return null;
    const token = { principal, comment: firstTokenComment, nowMs: clock.nowMs(), expiresAtMs: null };
    return (await createToken(client, token)).token_value;
  });
}

export interface LocalToken {
  readonly token: string;
  revoke(): Promise<void>;
}

/** Replaces the one that a killed server left behind. */
export async function mintLocalToken(
  { db, clock, config }: Services,
  principalId: number,
): Promise<LocalToken> {
  const token = `${tokenPrefix}${makeSecret()}`;
  const hash = hashSecret(token);
  await deleteExpired(db, clock.nowMs());
  const comment = `${os.hostname()}:${config.stateDir}`;
  await deleteLocalTokens(db, comment);
  await insertToken(db, {
    id: crypto.randomBytes(16).toString('hex'),
    principalId,
    kind: 'local',
    comment,
    hash,
    createdAtMs: clock.nowMs(),
    expiresAtMs: null,
  });
  return { token, revoke: () => deleteTokenByHash(db, hash) };
}
