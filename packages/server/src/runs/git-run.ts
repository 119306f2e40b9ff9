/** Of a run, what its checkout is made from: whose it is, and the Git source of its current settings. */
import type { GitSource, JobSettings } from '@headrace/api';
import type { Querier } from '../db/connect.ts';
import { readRun } from './store.ts';

export async function readGitRun(
  db: Querier,
  runId: number,
): Promise<{ readonly ownerId: number; readonly source: GitSource | undefined } | null> {
  const run = await readRun(db, runId);
  // It passed the schema before it was frozen.
  return run && { ownerId: run.owner_id, source: (run.settings as JobSettings).git_source };
}
