/** Git credentials of the caller: the token is sealed in the store and shown to nobody. */
import { z } from 'zod';
import { route } from './route.ts';
import { Nothing, wireBool, wireId } from './wire.ts';

export const gitTokenCharsMax = 8_192;

export const GitCredential = z.looseObject({
  credential_id: z.int(),
  git_provider: z.string(),
  git_username: z.string().optional(),
  git_email: z.string().optional(),
  name: z.string().optional(),
  is_default_for_provider: z.boolean().optional(),
});
export type GitCredential = z.output<typeof GitCredential>;

/** It travels in a header of the request to the Git server. */
const headerText = z.string().regex(/^[^\p{Cc}]*$/u, 'expected no control characters');

const changeable = {
  git_username: headerText
    .max(255)
    .regex(/^[^:]*$/, 'expected no colon')
    .optional(),
  git_email: headerText.max(255).optional(),
  name: z.string().max(255).optional(),
  is_default_for_provider: wireBool.optional(),
  personal_access_token: headerText.min(1).max(gitTokenCharsMax).optional(),
  /** Of an administrator, for a service principal. */
  principal_id: wireId.optional(),
};
const named = { credential_id: wireId, principal_id: wireId.optional() };
const path = '/api/2.0/git-credentials';

export const gitCredentialsCreate = route({
  method: 'POST',
  path,
  summary: 'Keeps a token for a Git provider.',
  request: z.object({ git_provider: z.string().min(1), ...changeable }),
  response: GitCredential,
  permission: 'user',
  audit: 'git-credentials.create',
});

export const gitCredentialsGet = route({
  method: 'GET',
  path: `${path}/{credential_id}`,
  summary: 'Shows a credential without its token.',
  request: z.object(named),
  response: GitCredential,
  permission: 'user',
  audit: 'git-credentials.get',
});

export const gitCredentialsList = route({
  method: 'GET',
  path,
  summary: "Lists the caller's credentials, without their tokens.",
  request: z.object({ principal_id: wireId.optional() }),
  response: z.looseObject({ credentials: z.array(GitCredential).optional() }),
  permission: 'user',
  audit: 'git-credentials.list',
});

export const gitCredentialsUpdate = route({
  method: 'PATCH',
  path: `${path}/{credential_id}`,
  summary: 'Changes what is given; the token only where one is.',
  request: z.object({ ...named, git_provider: z.string().min(1).optional(), ...changeable }),
  response: Nothing,
  permission: 'user',
  audit: 'git-credentials.update',
});

export const gitCredentialsDelete = route({
  method: 'DELETE',
  path: `${path}/{credential_id}`,
  summary: 'Forgets a credential.',
  request: z.object(named),
  response: Nothing,
  permission: 'user',
  audit: 'git-credentials.delete',
});
