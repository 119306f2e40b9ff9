/** The jobs of a run and of the runs whose tasks it is the work of, nearest first: what must not be started again. */

import { readAncestorJobIds } from './child-run-store.ts';
import type { RunServices } from './create-run.ts';

export function findAncestorJobs(
  { db }: Pick<RunServices, 'db'>,
  { runId, depthMax }: { readonly runId: number; readonly depthMax: number },
): Promise<readonly (number | null)[]> {
  return readAncestorJobIds(db, runId, depthMax);
}
