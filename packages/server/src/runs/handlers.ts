import { ApiError, type Handlers, type routes } from '@headrace/api';
import type { RequestContext } from '../context.ts';
import { readLogChunk, readNotebook } from './attempt-files.ts';
import { cancelRun, cancelRuns } from './cancel-run.ts';
import type { RunServices } from './create-run.ts';
import { readDbtArtifacts } from './dbt-output.ts';
import { deleteRun } from './delete-run.ts';
import { explainRun } from './explain-run.ts';
import { exportRun } from './export-run.ts';
import { listRunPage } from './list-runs.ts';
import { getRunPage, getTaskRunOf } from './read-runs.ts';
import { previewRepair, type RepairUses, repairRun } from './repair-run.ts';
import { getRunOutput } from './run-output.ts';
import { submitRun } from './submit-run.ts';
import { watchRun } from './watch-run.ts';

type RunHandlers = Pick<
  Handlers<typeof routes, RequestContext>,
  | 'runsSubmit'
  | 'runsGet'
  | 'runsList'
  | 'runsCancel'
  | 'runsCancelAll'
  | 'runsDelete'
  | 'runsRepair'
  | 'runsRepairPreview'
  | 'runsGetOutput'
  | 'taskLog'
  | 'taskNotebook'
  | 'taskDbtArtifacts'
  | 'runsExport'
  | 'runsWhy'
  | 'runEvents'
>;

export interface RunHandlerOptions {
  /** Scheme, host and port under which people reach this server. */
  readonly publicUrl: () => string;
  /** Where the host cuts a task's log. */
  readonly logBytesMax: number;
  readonly repair: RepairUses;
}

export function createRunHandlers(services: RunServices, options: RunHandlerOptions): RunHandlers {
  return {
    async runsSubmit(request, context) {
      const { runId } = await submitRun(services, request, context.principal);
      return { run_id: runId };
    },
    runsGet: (request, { apiVersion }) =>
      getRunPage(services, request, { apiVersion, publicUrl: options.publicUrl() }),
    runsList: (request, { apiVersion }) =>
      listRunPage(services, request, { apiVersion, publicUrl: options.publicUrl() }),
    async runsCancel({ run_id }) {
      await cancelRun(services, run_id);
      return {};
    },
    async runsCancelAll({ job_id, all_queued_runs }) {
      // Without a job only queued runs can be meant: all active ones of everybody would be too much for one call.
      await cancelRuns(services, { jobId: job_id ?? null, queuedOnly: all_queued_runs ?? false });
      return {};
    },
    async runsDelete({ run_id }, { nowMs }) {
      await deleteRun(services, { runId: run_id, nowMs });
      return {};
    },
    async runsRepair(request) {
      return { repair_id: await repairRun(services, request, options.repair) };
    },
    async runsRepairPreview(request) {
      return { run_id: request.run_id, tasks: await previewRepair(services, request, options.repair) };
    },
    runsGetOutput: ({ run_id }) => getRunOutput(services, { runId: run_id, publicUrl: options.publicUrl() }),
    async taskDbtArtifacts(request) {
      return readDbtArtifacts(services.blobs, await getTaskRunOf(services, request));
    },
    runsExport: (request) => exportRun(services, request),
    runsWhy: (request) => explainRun(services, request),
    async taskLog(request) {
      const taskRun = await getTaskRunOf(services, request);
      const folder = { runId: taskRun.run_id, attemptId: taskRun.attempt_id };
      const chunk = await readLogChunk(services.blobs, folder, request);
      return {
        log: chunk.text,
        offset: chunk.offset,
        next_offset: chunk.nextOffset,
        size: chunk.sizeBytes,
        // A log that was cut holds a line more than the limit: the one that says so.
        truncated: chunk.sizeBytes > options.logBytesMax,
        ended: taskRun.state === 'ended',
      };
    },
    async taskNotebook(request) {
      const taskRun = await getTaskRunOf(services, request);
      const folder = { runId: taskRun.run_id, attemptId: taskRun.attempt_id };
      const notebook = await readNotebook(services.blobs, folder);
      if (notebook) return notebook;
      throw new ApiError(
        'RESOURCE_DOES_NOT_EXIST',
        `Task run ${taskRun.attempt_id} has no notebook output; it may not have begun.`,
      );
    },
    async runEvents({ run_id }, { signal }) {
      return watchRun(services, { runId: run_id, publicUrl: options.publicUrl(), signal });
    },
  };
}
