/** A one-time run: tasks that belong to no job. */
import type { RunsSubmitRequest } from '@headrace/api';
import { checkClusterIds } from '../compute/check-clusters.ts';
import { checkClusterPolicies } from '../compute/check-policies.ts';
import type { Principal } from '../context.ts';
import { refuseRunJobCycles } from '../jobs/refuse-run-job-cycles.ts';
import { validateSettings } from '../jobs/validate-settings.ts';
import { checkWarehouseIds } from '../warehouses/check-warehouses.ts';
import { type CreatedRun, createRun, type RunServices } from './create-run.ts';
import { withTasks } from './run-definition.ts';
import type { Document } from './run-facts.ts';

export async function submitRun(
  services: RunServices,
  request: RunsSubmitRequest,
  principal: Principal,
): Promise<CreatedRun> {
  const { idempotency_token: token, access_control_list: _, ...fields } = request;
  const document = fields as Document; // The request passed its schema; what it holds is JSON.
  validateSettings(document, services.config);
  await checkClusterIds(services.db, document, services.config);
  await checkWarehouseIds(services.db, document, services.config);
  await checkClusterPolicies(services.db, document, services.config);
  await refuseRunJobCycles(services.db, { jobId: null, settings: document });
  const runName = request.run_name ?? 'Untitled';
  return createRun(services, {
    jobId: null,
    runName,
    settings: withTasks(document, runName),
    parameters: { job: [], overriding: {} },
    trigger: 'ONE_TIME',
    principal,
    idempotencyToken: token ?? null,
    queueEnabled: request.queue?.enabled ?? false,
  });
}
