/** Git folders: a branch, tag or commit of a repository as a folder of the workspace. */
import { z } from 'zod';
import { gitNameCharsMax, gitUrlCharsMax, SparseCheckout } from './git.ts';
import { route } from './route.ts';
import { pathCharsMax } from './tasks.ts';
import { Nothing, wireBool, wireId } from './wire.ts';

export const Repo = z.looseObject({
  id: z.int(),
  path: z.string(),
  url: z.string(),
  provider: z.string(),
  /** Missing where a tag is checked out. */
  branch: z.string().optional(),
  /** Missing while the first checkout is under way. */
  head_commit_id: z.string().optional(),
  sparse_checkout: SparseCheckout.optional(),
  /** Ours, when it was just made: what people should know of its files. */
  warnings: z.array(z.string()).optional(),
});
export type Repo = z.output<typeof Repo>;

export const reposPageSize = 100;

const path = '/api/2.0/repos';
const gitName = z.string().min(1).max(gitNameCharsMax);

export const reposCreate = route({
  method: 'POST',
  path,
  summary: 'Makes a Git folder and checks the repository out into it.',
  request: z.object({
    url: z.string().min(1).max(gitUrlCharsMax),
    provider: z.string().min(1),
    path: z.string().min(1).max(pathCharsMax).startsWith('/').optional(),
    sparse_checkout: SparseCheckout.optional(),
    git_credential_id: wireId.optional(),
    /** Ours: without it, the repository's default branch. */
    branch: gitName.optional(),
    tag: gitName.optional(),
  }),
  response: Repo,
  permission: 'user',
  audit: 'repos.create',
});

export const reposGet = route({
  method: 'GET',
  path: `${path}/{repo_id}`,
  summary: 'Shows a Git folder.',
  request: z.object({ repo_id: wireId }),
  response: Repo,
  permission: 'user',
  audit: 'repos.get',
});

export const reposList = route({
  method: 'GET',
  path,
  summary: "Lists the caller's Git folders by path; an administrator's list has all.",
  request: z.object({
    path_prefix: z.string().max(pathCharsMax).optional(),
    next_page_token: z.string().default(''),
  }),
  response: z.looseObject({ repos: z.array(Repo).optional(), next_page_token: z.string().optional() }),
  permission: 'user',
  audit: 'repos.list',
});

export const reposUpdate = route({
  method: 'PATCH',
  path: `${path}/{repo_id}`,
  summary: 'Brings a Git folder to the latest commit of a branch, or to a tag.',
  request: z.object({
    repo_id: wireId,
    branch: gitName.optional(),
    tag: gitName.optional(),
    sparse_checkout: SparseCheckout.optional(),
    git_credential_id: wireId.optional(),
    /** Local changes are lost. */
    dangerously_force_discard_all: wireBool.default(false),
  }),
  response: z.looseObject({
    /** Ours: what people should know of its files. */
    warnings: z.array(z.string()).optional(),
  }),
  permission: 'user',
  audit: 'repos.update',
});

export const reposDelete = route({
  method: 'DELETE',
  path: `${path}/{repo_id}`,
  summary: 'Deletes a Git folder with all that is in it.',
  request: z.object({ repo_id: wireId }),
  response: Nothing,
  permission: 'user',
  audit: 'repos.delete',
});
