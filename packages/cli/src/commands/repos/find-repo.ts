/** A Git folder by its id or its path. */
import type { Client, Repo } from '@headrace/api';
import { CommandError, exitCodes } from '../../command-error.ts';

export async function findRepo(client: Client, text: string): Promise<Repo> {
  if (/^\d+$/.test(text)) return client.reposGet({ repo_id: Number(text) });
  const path = text.replace(/^\/Workspace(?=\/)/, '').replace(/\/+$/, '');
  let token: string | undefined;
  do {
    const page = await client.reposList({
      path_prefix: path,
      ...(token === undefined ? {} : { next_page_token: token }),
    });
    const found = page.repos?.find((repo) => repo.path === path);
    if (found) return found;
    token = page.next_page_token;
  } while (token !== undefined);
  throw new CommandError(`there is no Git folder ${path}`, { exitCode: exitCodes.notFound });
}
