/** The administrator that the first start makes, and the token that each start mints for this machine. */
import crypto from 'node:crypto';
import os from 'node:os';
import type { Services } from '../services.ts';
import { createToken } from './personal-tokens.ts';
import { hashSecret, makeSecret, tokenPrefix } from './secrets.ts';
import {
  deleteExpired,
  deleteLocalTokens,
  deleteTokenByHash,
  findFirstAdmin,
  insertPrincipal,
  insertToken,
  type PrincipalRow,
} from './store.ts';

export interface Admin {
  readonly principal: PrincipalRow;
  /** Only at the first start: to be printed, once. */
  readonly newToken: string | null;
}

export async function ensureAdmin(services: Services): Promise<Admin> {
  const { db, ids, clock, config } = services;
  const existing = await findFirstAdmin(db);
  if (existing) return { principal: existing, newToken: null };
  const nowMs = clock.nowMs();
  const principal = {
    id: ids.newId(),
    userName: config.adminUser,
    displayName: config.adminUser,
    isAdmin: true,
  };
  const newToken = await db.transaction(async (client) => {
    if (!(await insertPrincipal(client, { ...principal, createdAtMs: nowMs }))) return null;
    const token = { principal, comment: 'made at the first start', nowMs, expiresAtMs: null };
    return (await createToken(client, token)).token_value;
  });
  const admin = await findFirstAdmin(db);
  if (!admin) throw new Error(`there is no active administrator, and the name ${config.adminUser} is taken`);
  return { principal: admin, newToken };
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
