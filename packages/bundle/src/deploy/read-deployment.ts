// Reads what was deployed before: the recorded state, and the jobs it names as they are on the server now.

import { type Deployed, DeploymentState, emptyState } from '../plan/deployment-state.ts';
import { metadataPath } from '../plan/plan-bundle.ts';
import type { ResolvedBundle } from '../resolve/resolve-bundle.ts';
import { type BundleClient, forEachBounded, isAbsent } from './bundle-client.ts';
import { BundleError } from './bundle-error.ts';

/** 100 elements a page, and a job has at most 1,000 tasks. */
const PAGES_MAX = 20;
/** Lists longer than one page, which come in parts. */
const PAGED_LISTS = ['tasks', 'job_clusters', 'parameters', 'environments'];

export async function readDeployment(bundle: ResolvedBundle, client: BundleClient): Promise<Deployed> {
  const recorded = await readState(bundle, client);
  const state = recorded ?? emptyState(bundle);
  const jobs = new Map<number, Record<string, unknown>>();
  await forEachBounded(Object.values(state.resources), async ({ id }) => {
    const settings = await readJob(id, client);
    if (settings !== null) jobs.set(id, settings);
  });
  return { state, exists: recorded !== null, jobs };
}

async function readState(bundle: ResolvedBundle, client: BundleClient): Promise<DeploymentState | null> {
  const path = metadataPath(bundle);
  let content: string;
  try {
    ({ content } = await client.workspaceExport({ path, format: 'AUTO' }));
  } catch (error) {
    if (isAbsent(error)) return null;
    throw error;
  }
  try {
    return DeploymentState.parse(JSON.parse(Buffer.from(content, 'base64').toString('utf8')));
  } catch (cause) {
    const message =
      'is not a deployment record this version understands; deploy with the version that wrote it, or delete the file to start anew';
    throw new BundleError([{ severity: 'error', message, file: path, line: 1, column: 1 }], { cause });
  }
}

/** null: somebody deleted the job. */
export async function readJob(
  id: number,
  client: Pick<BundleClient, 'jobsGet'>,
): Promise<Record<string, unknown> | null> {
  const settings: Record<string, unknown> = {};
  let pageToken = '';
  for (let page = 0; page < PAGES_MAX; page += 1) {
    try {
      const job = await client.jobsGet({
        job_id: id,
        ...(pageToken === '' ? {} : { page_token: pageToken }),
      });
      joinPage(settings, job.settings);
      pageToken = job.next_page_token ?? '';
    } catch (error) {
      if (isAbsent(error)) return null;
      throw error;
    }
    if (pageToken === '') break;
  }
  return settings;
}

function joinPage(settings: Record<string, unknown>, page: Readonly<Record<string, unknown>>): void {
  for (const [key, value] of Object.entries(page)) {
    const before = settings[key];
    settings[key] =
      PAGED_LISTS.includes(key) && Array.isArray(before) && Array.isArray(value)
        ? [...before, ...value]
        : value;
  }
}
