/** Git folders by path: of a principal, or for an administrator of all. */
import { type RequestOf, type ResponseOf, reposPageSize, type routes } from '@headrace/api';
import { z } from 'zod';
import type { Principal } from '../context.ts';
import type { Querier } from '../db/connect.ts';
import { decodePageToken, encodePageToken } from '../http/page-token.ts';
import { listGitFolders } from './store.ts';
import { toRepo } from './wire.ts';

const PathPosition = z.object({ path: z.string() });

export async function listRepoPage(
  db: Querier,
  { path_prefix = '', next_page_token }: RequestOf<typeof routes.reposList>,
  principal: Principal,
): Promise<ResponseOf<typeof routes.reposList>> {
  const rows = await listGitFolders(db, {
    ownerId: principal.isAdmin ? null : principal.id,
    prefix: path_prefix.replace(/^\/Workspace(?=\/|$)/, ''),
    after: decodePageToken(next_page_token, PathPosition)?.path ?? '',
    limit: reposPageSize + 1,
  });
  const page = rows.slice(0, reposPageSize);
  const last = rows.length > page.length ? page.at(-1) : undefined;
  return {
    repos: page.map(toRepo),
    ...(last ? { next_page_token: encodePageToken({ path: last.path }) } : {}),
  };
}
