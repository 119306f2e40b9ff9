/** Tokens that principals make for their programs. */
import crypto from 'node:crypto';
import { ApiError, type TokenInfo } from '@headrace/api';
import type { Principal } from '../context.ts';
import type { Querier } from '../db/connect.ts';
import { hashSecret, makeSecret, tokenPrefix } from './secrets.ts';
import {
  countPersonalTokens,
  deletePersonalToken,
  insertToken,
  listPersonalTokens,
  type TokenRow,
} from './store.ts';

/** As many as a person can tell apart; a program that makes one for each call is stopped here. */
const tokensPerPrincipalMax = 600;

export async function createPersonalToken(
  db: Querier,
  request: {
    principal: Principal;
    comment?: string | undefined;
    lifetimeSeconds?: number | undefined;
    nowMs: number;
  },
): Promise<{ token_value: string; token_info: TokenInfo }> {
  const { principal, comment = '', lifetimeSeconds, nowMs } = request;
  if ((await countPersonalTokens(db, principal.id)) >= tokensPerPrincipalMax) {
    throw new ApiError(
      'INVALID_STATE',
      `${principal.userName} has ${tokensPerPrincipalMax} tokens: delete one first`,
    );
  }
  const expiresAtMs = lifetimeSeconds === undefined ? null : nowMs + lifetimeSeconds * 1000;
  return createToken(db, { principal, comment, nowMs, expiresAtMs });
}

export async function listTokensOf(db: Querier, principal: Principal): Promise<TokenInfo[]> {
  const rows = await listPersonalTokens(db, principal.id, tokensPerPrincipalMax);
  return rows.map(toTokenInfo);
}

export async function revokeToken(db: Querier, token: { id: string; principal: Principal }): Promise<void> {
  const deleted = await deletePersonalToken(db, { id: token.id, principalId: token.principal.id });
  if (!deleted) throw new ApiError('RESOURCE_DOES_NOT_EXIST', `Token ${token.id} does not exist.`);
}

/** The only moment at which the value can be seen. */
export async function createToken(
  db: Querier,
  token: {
    principal: Pick<Principal, 'id'>;
    comment: string;
    nowMs: number;
    expiresAtMs: number | null;
    kind?: 'personal' | 'worker';
  },
): Promise<{ token_value: string; token_info: TokenInfo }> {
  const value = `${tokenPrefix}${makeSecret()}`;
  const row: TokenRow = {
    id: crypto.randomBytes(16).toString('hex'),
    principalId: token.principal.id,
    kind: token.kind ?? 'personal',
    comment: token.comment,
    createdAtMs: token.nowMs,
    expiresAtMs: token.expiresAtMs,
  };
  await insertToken(db, { ...row, hash: hashSecret(value) });
  return { token_value: value, token_info: toTokenInfo(row) };
}

export function toTokenInfo(row: TokenRow): TokenInfo {
  return {
    token_id: row.id,
    comment: row.comment,
    creation_time: row.createdAtMs,
    expiry_time: row.expiresAtMs ?? -1,
  };
}
