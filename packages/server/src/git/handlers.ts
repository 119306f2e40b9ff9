import type { Handlers, routes } from '@headrace/api';
import type { RequestContext } from '../context.ts';
import {
  changeCredential,
  createCredential,
  forgetCredential,
  getCredential,
  listOwnCredentials,
  principalOf,
} from './credentials.ts';
import { createRunCheckouts, type GitRun, type GitServices } from './run-checkout.ts';

type GitHandlers = Pick<
  Handlers<typeof routes, RequestContext>,
  | 'gitCredentialsCreate'
  | 'gitCredentialsGet'
  | 'gitCredentialsList'
  | 'gitCredentialsUpdate'
  | 'gitCredentialsDelete'
  | 'runGitCheckout'
>;

export function createGitHandlers(
  services: GitServices,
  readRun: (runId: number) => Promise<GitRun | null>,
): GitHandlers {
  const { db } = services;
  const checkouts = createRunCheckouts(services, readRun);
  return {
    async gitCredentialsCreate({ principal_id, ...fields }, { principal, nowMs }) {
      const principalId = principalOf(principal, principal_id);
      return createCredential(services, { fields, principalId, nowMs });
    },
    async gitCredentialsGet({ credential_id, principal_id }, { principal }) {
      return getCredential(db, {
        credentialId: credential_id,
        principalId: principalOf(principal, principal_id),
      });
    },
    async gitCredentialsList({ principal_id }, { principal }) {
      return { credentials: await listOwnCredentials(db, principalOf(principal, principal_id)) };
    },
    async gitCredentialsUpdate({ credential_id, principal_id, ...fields }, { principal }) {
      const key = { credentialId: credential_id, principalId: principalOf(principal, principal_id) };
      await changeCredential(services, key, fields);
      return {};
    },
    async gitCredentialsDelete({ credential_id, principal_id }, { principal }) {
      await forgetCredential(db, {
        credentialId: credential_id,
        principalId: principalOf(principal, principal_id),
      });
      return {};
    },
    runGitCheckout: (request, { principal }) => checkouts.ask(request, principal),
  };
}
