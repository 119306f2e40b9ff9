import type { Handlers, routes } from '@headrace/api';
import type { RequestContext } from '../context.ts';
import type { RunServices } from '../runs/create-run.ts';
import type { Document } from '../runs/run-facts.ts';
import { deleteJob } from './delete-job.ts';
import { getJobPage, listJobPage } from './list-jobs.ts';
import { runJobNow } from './run-now.ts';
import { changeJob, createJob, resetJob } from './save-job.ts';

type JobHandlers = Pick<
  Handlers<typeof routes, RequestContext>,
  'jobsCreate' | 'jobsGet' | 'jobsList' | 'jobsUpdate' | 'jobsReset' | 'jobsDelete' | 'jobsRunNow'
>;

export function createJobHandlers(services: RunServices): JobHandlers {
  return {
    async jobsCreate({ access_control_list: _, ...settings }, { principal, nowMs }) {
      return { job_id: await createJob(services, { settings: toDocument(settings), principal, nowMs }) };
    },
    jobsGet: ({ job_id, page_token }, { apiVersion }) =>
      getJobPage(services.db, { jobId: job_id, pageToken: page_token, apiVersion }),
    jobsList: (request, { apiVersion }) => listJobPage(services.db, request, apiVersion),
    async jobsUpdate(request, { nowMs }) {
      await changeJob(services, {
        jobId: request.job_id,
        newSettings: toDocument(request.new_settings ?? {}),
        fieldsToRemove: request.fields_to_remove ?? [],
        nowMs,
      });
      return {};
    },
    async jobsReset({ job_id, new_settings }, { nowMs }) {
      await resetJob(services, { jobId: job_id, settings: toDocument(new_settings), nowMs });
      return {};
    },
    async jobsDelete({ job_id }, { nowMs }) {
      await deleteJob(services, { jobId: job_id, nowMs });
      return {};
    },
    async jobsRunNow(request, { principal }) {
      const run = await runJobNow(services, { request, principal, trigger: 'ONE_TIME' });
      return { run_id: run.runId, number_in_job: run.numberInJob };
    },
  };
}

/** A request is JSON, and so is what its schema made of it. */
function toDocument(settings: object): Document {
  return settings as Document;
}
