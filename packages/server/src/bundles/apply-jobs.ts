/** The jobs of a version, made, reset and deleted within one transaction, by the same rules as one at a time. */
import { ApiError, type BundleResource, type RequestOf, type routes } from '@headrace/api';
import { type AuditedChange, recordChanges } from '../audit/record-changes.ts';
import type { RequestContext } from '../context.ts';
import type { Querier } from '../db/connect.ts';
import { deletedFor, markDeployed } from '../jobs/deploy-jobs.ts';
import { saveNewJob, saveSettings } from '../jobs/save-job.ts';
import type { Document } from '../runs/run-facts.ts';
import type { Services } from '../services.ts';

type Commit = RequestOf<typeof routes.bundlesCommit>;

export interface AppliedJobs {
  /** As the version keeps them: each with its id, and with the ids of others filled in. */
  readonly resources: readonly BundleResource[];
  readonly created: number;
  readonly updated: number;
  readonly deleted: readonly number[];
}

export async function applyJobs(
  services: Pick<Services, 'config' | 'ids'>,
  client: Querier,
  commit: Pick<Commit, 'deployment_id' | 'resources' | 'delete_jobs'> & { readonly version: number },
  context: RequestContext,
): Promise<AppliedJobs> {
  const { deployment_id: deploymentId, version } = commit;
  await services.ids.reserve(commit.resources.length);
  const named = commit.resources.map((resource) => ({ ...resource, id: idOf(services, resource) }));
  const jobIds = new Map(named.flatMap(({ kind, key, id }) => (kind === 'jobs' ? [[key, id]] : [])));
  const resources: BundleResource[] = [];
  const changes: AuditedChange[] = [];
  for (const { action, ...resource } of named) {
    const filled = { ...resource, document: fillJobIds(resource.document, jobIds) };
    resources.push(filled);
    if (resource.kind !== 'jobs' || action === 'keep') continue;
    await saveJob(services, client, { action, resource: filled }, context);
    const parameters = { job_id: Number(resource.id), name: resource.name, deployment_id: deploymentId };
    changes.push({ action: action === 'create' ? 'jobs.create' : 'jobs.reset', parameters });
  }
  const deleted = await deletedFor(client, {
    ...{ deploymentId, nowMs: context.nowMs },
    jobIds: commit.delete_jobs,
  });
  for (const jobId of deleted)
    changes.push({ action: 'jobs.delete', parameters: { job_id: jobId, deployment_id: deploymentId } });
  await markDeployed(client, [...jobIds.values()].map(Number), { deploymentId, version });
  await recordChanges(client, context, changes);
  const count = (wanted: string) => commit.resources.filter(({ action }) => action === wanted).length;
  return { resources, created: count('create'), updated: count('update'), deleted };
}

/** A job that is made gets its id first, so that those before it may name it too. */
function idOf(
  { ids }: Pick<Services, 'ids'>,
  { kind, key, id, action }: Commit['resources'][number],
): string {
  if (kind !== 'jobs' && (action !== 'keep' || id === undefined)) {
    throw new ApiError(
      'INVALID_PARAMETER_VALUE',
      `resources: ${kind}.${key}: only jobs are changed here, all else is there by now and has an id`,
    );
  }
  if (action === 'create') return String(ids.newId());
  if (id === undefined || (kind === 'jobs' && !/^[1-9]\d{0,15}$/.test(id)))
    throw new ApiError('INVALID_PARAMETER_VALUE', `resources: ${kind}.${key}: id: it has none`);
  return id;
}

async function saveJob(
  { config }: Pick<Services, 'config'>,
  client: Querier,
  { action, resource }: { readonly action: 'create' | 'update'; readonly resource: BundleResource },
  { principal, nowMs }: RequestContext,
): Promise<void> {
  const jobId = Number(resource.id);
  const settings = resource.document as Document; // A request is JSON.
  try {
    if (action === 'create') await saveNewJob(client, config, { jobId, settings, principal, nowMs });
    else await saveSettings(client, config, { jobId, settings, nowMs });
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    throw new ApiError(error.code, `jobs.${resource.key}: ${error.message}`, error.details);
  }
}

const reference = /\$\{resources\.jobs\.([^}]+?)\.id\}/g;

/** Puts ids in the place of `${resources.jobs.<key>.id}`: as a number where a job's id stands, else as text. */
export function fillJobIds(
  document: BundleResource['document'],
  jobIds: ReadonlyMap<string, string>,
): BundleResource['document'] {
  const fill = (value: unknown, field: string): unknown => {
    if (Array.isArray(value)) return value.map((part) => fill(part, ''));
    if (typeof value === 'object' && value !== null)
      return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, fill(part, key)]));
    if (typeof value !== 'string' || !value.includes('${resources.jobs.')) return value;
    const text = value.replace(reference, (written, key: string) => jobIds.get(key) ?? written);
    return field === 'job_id' && /^\d+$/.test(text) ? Number(text) : text;
  };
  return fill(document, '') as BundleResource['document']; // An object stays one.
}
