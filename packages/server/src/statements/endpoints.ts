/**
 * Brings the process up that serves statements: an attempt like any other, of a run that no list shows, on the warehouse's
 * cluster and as the principal whose statements it runs. So it is leased, found again after a restart, and its end is proven.
 */
import { idempotencyTokenCharsMax } from '@headrace/api';
import { endpointLabels } from '@headrace/core';
import type { Principal } from '../context.ts';
import { createRun, type RunServices } from '../runs/create-run.ts';
import type { Document } from '../runs/run-facts.ts';
import { beginEndpoint, hasEndpoint, noteRun } from './endpoint-store.ts';

export interface EndpointOf {
  readonly warehouseId: string;
  readonly clusterId: string;
  readonly principal: Pick<Principal, 'id' | 'userName'>;
}

/** Longer than any that a request may bring: nobody can have made a run before us that we would take for the endpoint's. */
const tokenPrefix = 'sql-endpoint'.padEnd(idempotencyTokenCharsMax, '-');

/** It comes up by itself: its claim starts the cluster. */
export async function ensureEndpoint(
  services: RunServices,
  { warehouseId, clusterId, principal }: EndpointOf,
): Promise<void> {
  const { db, clock } = services;
  if (await hasEndpoint(db, warehouseId, principal.id)) return;
  const row = await beginEndpoint(db, { warehouseId, principalId: principal.id, nowMs: clock.nowMs() });
  if (row.runId !== null) return;
  const { runId } = await createRun(services, {
    jobId: null,
    runType: 'SQL_ENDPOINT',
    runName: `SQL endpoint of warehouse ${warehouseId}`,
    settings: settingsOf(clusterId),
    parameters: { job: [], overriding: {} },
    trigger: 'ONE_TIME',
    principal: { ...principal, isAdmin: false },
    // Two that ask at once, or again after a crash between these steps, get one run.
    idempotencyToken: `${tokenPrefix} ${warehouseId} ${principal.id} ${row.generation}`,
    queueEnabled: false,
  });
  await noteRun(db, row, runId);
}

/** What its task executes is said by the type of its run; the rest of the engine reads it as any task that is Python. */
function settingsOf(clusterId: string): Document {
  const spark_python_task = { python_file: 'headrace_runtime/sql_endpoint' };
  const headrace = { worker_labels: endpointLabels };
  return {
    tasks: [{ task_key: 'sql_endpoint', existing_cluster_id: clusterId, spark_python_task, headrace }],
  };
}
