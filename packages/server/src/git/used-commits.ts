/** What runs show of their Git source: the commit that a branch or tag stood for. */
import type { GitSource } from '@headrace/api';
import type { Querier } from '../db/connect.ts';
import { describeReference, readReference } from './git-reference.ts';
import { listUsedCommits } from './store.ts';

/** Finds the commit that a run used for a source; null before it needed one. */
export type FindUsedCommit = (runId: number, source: GitSource) => string | null;

export async function readUsedCommits(db: Querier, runIds: readonly number[]): Promise<FindUsedCommit> {
  const used = runIds.length === 0 ? [] : await listUsedCommits(db, runIds);
  return (runId, source) => {
    const reference = readReference(source);
    if ('problem' in reference) return null;
    const name = describeReference(reference);
    const row = used.find(
      (each) => each.run_id === runId && each.git_url === source.git_url && each.reference === name,
    );
    return row?.commit ?? null;
  };
}

export const noUsedCommits: FindUsedCommit = () => null;

export function withUsedCommit(source: GitSource, commit: string | null): GitSource {
  const { git_snapshot: _, ...rest } = source;
  return commit === null ? rest : { ...rest, git_snapshot: { used_commit: commit } };
}
