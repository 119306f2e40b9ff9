/** Access tokens, sign-in of browsers, and who the caller is. */
import type { Handlers, routes } from '@headrace/api';
import type { RequestContext } from '../context.ts';
import type { Services } from '../services.ts';
import { showUser } from './find-principal.ts';
import { createPersonalToken, listTokensOf, revokeToken } from './personal-tokens.ts';
import { makeSignInLink, signInWithCode, signOutAll } from './sessions.ts';
import { createWorkerToken, listTokensOfWorkers, revokeWorkerToken } from './worker-tokens.ts';

type TokenHandlers = Pick<
  Handlers<typeof routes, RequestContext>,
  | 'tokensCreate'
  | 'tokensList'
  | 'tokensDelete'
  | 'currentUserMe'
  | 'signInLinksCreate'
  | 'signIn'
  | 'signOut'
  | 'workerTokensCreate'
  | 'workerTokensList'
  | 'workerTokensDelete'
>;

export function createTokensHandlers(
  services: Services,
  options: { forgetTokens: () => void; publicUrl: () => string },
): TokenHandlers {
  const { db } = services;
  return {
    tokensCreate: ({ comment, lifetime_seconds: lifetimeSeconds }, { principal, nowMs }) =>
      createPersonalToken(db, { principal, comment, lifetimeSeconds, nowMs }),
    async tokensList(_request, { principal }) {
      return { token_infos: await listTokensOf(db, principal) };
    },
    async tokensDelete({ token_id: id }, { principal }) {
      await revokeToken(db, { id, principal });
      options.forgetTokens();
      return {};
    },
    currentUserMe: (_request, { principal }) => showUser(db, principal),
    async signInLinksCreate(_request, { principal, nowMs }) {
      const { code, expiresAtMs } = await makeSignInLink(services, { principalId: principal.id, nowMs });
      return { url: `${options.publicUrl()}/api/headrace/sign-in?code=${code}`, expires_at: expiresAtMs };
    },
    async signIn({ code }, { nowMs }) {
      const set_cookie = await signInWithCode(services, { code, nowMs, publicUrl: options.publicUrl() });
      return { location: '/', set_cookie };
    },
    workerTokensCreate: ({ comment, lifetime_seconds: lifetimeSeconds }, { principal, nowMs }) =>
      createWorkerToken(db, { principal, comment, lifetimeSeconds, nowMs }),
    async workerTokensList() {
      return { token_infos: await listTokensOfWorkers(db) };
    },
    async workerTokensDelete({ token_id: id }) {
      await revokeWorkerToken(db, id);
      options.forgetTokens();
      return {};
    },
    async signOut(_request, { principal }) {
      await signOutAll(services, principal.id);
      options.forgetTokens();
      return {};
    },
  };
}
