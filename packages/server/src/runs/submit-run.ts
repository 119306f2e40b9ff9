/** A one-time run: tasks that belong to no job. */
import type { RunsSubmitRequest } from '@headrace/api';
import type { Principal } from '../context.ts';
import { validateSettings } from '../jobs/validate-settings.ts';
import { type CreatedRun, createRun, type RunServices } from './create-run.ts';
import { withTasks } from './run-definition.ts';
import type { Document } from './run-facts.ts';

export function submitRun(
  services: RunServices,
  request: RunsSubmitRequest,
  principal: Principal,
): Promise<CreatedRun> {
  const { idempotency_token: token, access_control_list: _, ...document } = request;
  const runName = request.run_name ?? 'Untitled';
  // The request passed its schema; what it holds is JSON.
  const settings = withTasks(document as Document, runName);
  validateSettings(settings, services.config);
  return createRun(services, {
    jobId: null,
    runName,
    settings,
    parameters: { job: [], overriding: {} },
    trigger: 'ONE_TIME',
    principal,
    idempotencyToken: token ?? null,
    queueEnabled: request.queue?.enabled ?? false,
  });
}
