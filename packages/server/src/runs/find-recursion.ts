/** Whether a run that a task starts would go on for ever: jobs that start each other, or runs that are too deep. */
import { type Failure, toJobId } from '@headrace/core';
import { readAncestorJobIds } from './child-run-store.ts';
import type { RunServices } from './create-run.ts';

/** Deeper nesting is taken for a mistake; hosted workspaces advise at most three. */
const depthMax = 10;

/** Null where a task of the run may start the job. */
export async function findRecursion(
  { db }: Pick<RunServices, 'db'>,
  { runId, jobId }: { readonly runId: number; readonly jobId: number },
): Promise<Failure | null> {
  const ancestors = await readAncestorJobIds(db, runId, depthMax);
  if (ancestors.includes(toJobId(jobId))) {
    const chain = [...ancestors].reverse().join(' → ');
    return refused(
      `Job ${jobId} would start itself: its runs would follow each other for ever (${chain} → ${jobId}).`,
    );
  }
  if (ancestors.length < depthMax) return null;
  return refused(`Runs that start runs may be ${depthMax} deep; job ${jobId} would be one more.`);
}

function refused(message: string): Failure {
  return { code: 'RUN_EXECUTION_ERROR', message, trace: null };
}
