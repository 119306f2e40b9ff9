/** Access tokens, sign-in of browsers, and who the caller is. */
import crypto from 'node:crypto';
import { ApiError, type Handlers, type routes, type TokenInfo, type User } from '@headrace/api';
import type { Principal, RequestContext } from '../context.ts';
import type { Querier } from '../db/connect.ts';
import type { Services } from '../services.ts';
import { hashSecret, makeSecret, tokenPrefix } from './secrets.ts';
import { makeSignInLink, signInWithCode, signOutAll } from './sessions.ts';
import {
  countPersonalTokens,
  deletePersonalToken,
  findPrincipalById,
  insertToken,
  listPersonalTokens,
  type TokenRow,
} from './store.ts';

/** As many as a person can tell apart; a program that makes one for each call is stopped here. */
const tokensPerPrincipalMax = 600;

type TokenHandlers = Pick<
  Handlers<typeof routes, RequestContext>,
  | 'tokensCreate'
  | 'tokensList'
  | 'tokensDelete'
  | 'currentUserMe'
  | 'signInLinksCreate'
  | 'signIn'
  | 'signOut'
>;

export function createTokensHandlers(
  services: Services,
  options: { forgetTokens: () => void; publicUrl: () => string },
): TokenHandlers {
  const { db } = services;
  return {
    async tokensCreate({ comment = '', lifetime_seconds }, { principal, nowMs }) {
      if ((await countPersonalTokens(db, principal.id)) >= tokensPerPrincipalMax) {
        throw new ApiError(
          'INVALID_STATE',
          `${principal.userName} has ${tokensPerPrincipalMax} tokens: delete one first`,
        );
      }
      const expiresAtMs = lifetime_seconds === undefined ? null : nowMs + lifetime_seconds * 1000;
      return createToken(db, { principal, comment, nowMs, expiresAtMs });
    },
    async tokensList(_request, { principal }) {
      const rows = await listPersonalTokens(db, principal.id, tokensPerPrincipalMax);
      return { token_infos: rows.map(toTokenInfo) };
    },
    async tokensDelete({ token_id }, { principal }) {
      const deleted = await deletePersonalToken(db, { id: token_id, principalId: principal.id });
      options.forgetTokens();
      if (!deleted) throw new ApiError('RESOURCE_DOES_NOT_EXIST', `Token ${token_id} does not exist.`);
      return {};
    },
    currentUserMe: (_request, { principal }) => showUser(services, principal),
    async signInLinksCreate(_request, { principal, nowMs }) {
      const { code, expiresAtMs } = await makeSignInLink(services, { principalId: principal.id, nowMs });
      return { url: `${options.publicUrl()}/api/headrace/sign-in?code=${code}`, expires_at: expiresAtMs };
    },
    async signIn({ code }, { nowMs }) {
      const set_cookie = await signInWithCode(services, { code, nowMs, publicUrl: options.publicUrl() });
      return { location: '/', set_cookie };
    },
    async signOut(_request, { principal }) {
      await signOutAll(services, principal.id);
      options.forgetTokens();
      return {};
    },
  };
}

/** The only moment at which the value can be seen. */
export async function createToken(
  db: Querier,
  token: { principal: Pick<Principal, 'id'>; comment: string; nowMs: number; expiresAtMs: number | null },
): Promise<{ token_value: string; token_info: TokenInfo }> {
  const value = `${tokenPrefix}${makeSecret()}`;
  const row: TokenRow = {
    id: crypto.randomBytes(16).toString('hex'),
    principalId: token.principal.id,
    kind: 'personal',
    comment: token.comment,
    createdAtMs: token.nowMs,
    expiresAtMs: token.expiresAtMs,
  };
  await insertToken(db, { ...row, hash: hashSecret(value) });
  return { token_value: value, token_info: toTokenInfo(row) };
}

function toTokenInfo(row: TokenRow): TokenInfo {
  return {
    token_id: row.id,
    comment: row.comment,
    creation_time: row.createdAtMs,
    expiry_time: row.expiresAtMs ?? -1,
  };
}

async function showUser({ db }: Services, principal: Principal): Promise<User> {
  const row = await findPrincipalById(db, principal.id);
  if (!row) throw new ApiError('UNAUTHENTICATED', 'the principal of this token is gone');
  return {
    id: String(row.id),
    userName: row.userName,
    displayName: row.displayName,
    active: row.active,
    name: { givenName: row.displayName },
    emails: [{ value: row.userName, primary: true, type: 'work' }],
    groups: row.isAdmin ? [{ display: 'admins', value: 'admins', type: 'direct' }] : [],
    schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
  };
}
