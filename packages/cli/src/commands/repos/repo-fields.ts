import type { Repo } from '@headrace/api';
import { formatFields } from '../../output/format-table.ts';

export function formatRepo(repo: Repo): string {
  return formatFields([
    ['id', String(repo.id)],
    ['path', repo.path],
    ['url', repo.url],
    ['provider', repo.provider],
    ['branch', repo.branch ?? '-'],
    ['commit', repo.head_commit_id ?? '-'],
    ...(repo.sparse_checkout?.patterns
      ? ([['sparse', repo.sparse_checkout.patterns.join(' ')]] as const)
      : []),
  ]);
}
