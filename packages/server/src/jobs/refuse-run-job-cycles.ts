/** A job may run other jobs that exist, and not itself by way of them: its runs would start each other for ever. */
import { ApiError, type JobSettings } from '@headrace/api';
import type { Querier } from '../db/connect.ts';
import type { Document } from '../runs/run-facts.ts';
import { findJobCycle } from './job-cycle.ts';
import { listRunJobEdges, lockRunJobEdges, readExistingJobIds } from './store.ts';

/** Real ones have some tens; each is one row to read while other saves wait. */
const edgesMax = 10_000;

export interface RunJobCheck {
  /** Null for what is no job, or is none yet: nothing can lead back to it. */
  readonly jobId: number | null;
  readonly settings: Document;
  /** Jobs that it names already are not asked for again: else a deleted one would forbid every other change. */
  readonly before?: Document;
}

/** In the transaction that saves the settings of a job, so that two saves cannot close a circle between them. */
export async function refuseRunJobCycles(
  db: Querier,
  { jobId, settings, before }: RunJobCheck,
): Promise<void> {
  const steps = findRunJobSteps(settings);
  if (steps.length === 0) return;
  const known = new Set(before ? findRunJobSteps(before).map((step) => step.jobId) : []);
  await refuseUnknownJobs(
    db,
    steps.filter((step) => !known.has(step.jobId)),
  );
  if (jobId === null) return;
  await lockRunJobEdges(db);
  const children = [...new Set(steps.map((step) => step.jobId))];
  const rows = await listRunJobEdges(db, children, edgesMax + 1);
  if (rows.length > edgesMax) {
    throw refusal(`more than ${edgesMax} jobs run each other from here on, too many to look for a circle`);
  }
  const edges = new Map(rows.map((row) => [row.job_id, row.child_job_ids]));
  const cycle = findJobCycle(jobId, edges.set(jobId, children));
  if (cycle) throw refusal(`jobs would run each other in a circle: ${cycle.join(' → ')}`);
}

interface RunJobStep {
  readonly taskKey: string;
  readonly jobId: number;
}

async function refuseUnknownJobs(db: Querier, steps: readonly RunJobStep[]): Promise<void> {
  if (steps.length === 0) return;
  const existing = new Set(
    await readExistingJobIds(
      db,
      steps.map((step) => step.jobId),
    ),
  );
  const problems = steps
    .filter((step) => !existing.has(step.jobId))
    .map((step) => `tasks: task '${step.taskKey}': run_job_task.job_id: job ${step.jobId} does not exist`);
  if (problems.length > 0) throw new ApiError('INVALID_PARAMETER_VALUE', problems.join('; '));
}

function refusal(reason: string): ApiError {
  return new ApiError('INVALID_PARAMETER_VALUE', `tasks: run_job_task.job_id: ${reason}`);
}

/** Of a document that passed the schema; ids may be texts in what was stored before. */
function findRunJobSteps(document: Document): RunJobStep[] {
  const settings = document as JobSettings & Pick<NonNullable<JobSettings['tasks']>[number], 'run_job_task'>;
  const tasks = (settings.tasks ?? []).flatMap((task) =>
    task.for_each_task ? [task, task.for_each_task.task] : [task],
  );
  const steps = tasks.flatMap(({ task_key: taskKey, run_job_task: step }) =>
    step ? [{ taskKey, jobId: Number(step.job_id) }] : [],
  );
  if (settings.tasks === undefined && settings.run_job_task) {
    steps.push({ taskKey: settings.name ?? 'task', jobId: Number(settings.run_job_task.job_id) });
  }
  return steps;
}
