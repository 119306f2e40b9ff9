import type { Repo } from '@headrace/api';
import type { GitFolderRow } from './store.ts';

export function toRepo(row: GitFolderRow): Repo {
  return {
    id: row.repoId,
    path: row.path,
    url: row.url,
    provider: row.provider,
    ...(row.branch === null ? {} : { branch: row.branch }),
    ...(row.headCommit === null ? {} : { head_commit_id: row.headCommit }),
    ...(row.patterns === null ? {} : { sparse_checkout: { patterns: [...row.patterns] } }),
  };
}
