import { isFields } from '../document-path.ts';
import type { ComparisonRules } from '../find-differences.ts';
import { toJobDocument } from '../job-document.ts';
import type { Document } from '../planned-action.ts';
import { nullIfAbsent } from './is-absent.ts';
import type { KindClient, KindDefinition } from './kind-definition.ts';

/** 100 elements a page, and a job has at most 1,000 tasks. */
const PAGES_MAX = 20;
const LIST_PAGES_MAX = 50;
/** Lists longer than one page, which come in parts. */
const PAGED_LISTS = ['tasks', 'job_clusters', 'parameters', 'environments'];

export const JOB_RULES: ComparisonRules = {
  listKeys: {
    tasks: 'task_key',
    depends_on: 'task_key',
    job_clusters: 'job_cluster_key',
    environments: 'environment_key',
    parameters: 'name',
    on_start: 'id',
    on_success: 'id',
    on_failure: 'id',
    on_duration_warning_threshold_exceeded: 'id',
  },
  sets: ['on_start', 'on_success', 'on_failure', 'on_duration_warning_threshold_exceeded'],
  defaults: {
    format: 'MULTI_TASK',
    edit_mode: 'EDITABLE',
    max_concurrent_runs: 1,
    timeout_seconds: 0,
    max_retries: 0,
    min_retry_interval_millis: 0,
    retry_on_timeout: false,
    disabled: false,
    run_if: 'ALL_SUCCESS',
    source: 'WORKSPACE',
    pause_status: 'UNPAUSED',
    no_alert_for_skipped_runs: false,
    no_alert_for_canceled_runs: false,
    alert_on_last_attempt: false,
  },
  userMaps: [
    'base_parameters',
    'named_parameters',
    'job_parameters',
    'notebook_params',
    'python_named_params',
    'sql_params',
    'tags',
    'spark_conf',
    'spark_env_vars',
    'custom_tags',
  ],
};

export const jobs: KindDefinition = {
  kind: 'jobs',
  noun: 'job',
  loss: null,
  rules: JOB_RULES,
  recreateOn: [],
  toDocument: toJobDocument,
  nameOf: (document) => document.name,
  read: async (id, client) => {
    const settings = await readJob(Number(id), client);
    return settings && withoutVersion(settings);
  },
  create: async (document, client) => String((await client.jobsCreate(document)).job_id),
  update: async ({ id, document }, client) => {
    await client.jobsReset({ job_id: Number(id), new_settings: document });
    return id;
  },
  delete: async (id, client) => {
    await nullIfAbsent(client.jobsDelete({ job_id: Number(id) }));
  },
  find: async (document, client) => {
    const found: string[] = [];
    let pageToken = '';
    for (let page = 0; page < LIST_PAGES_MAX; page += 1) {
      const list = await client.jobsList({
        name: String(document.name),
        limit: 100,
        ...(pageToken === '' ? {} : { page_token: pageToken }),
      });
      for (const job of list.jobs ?? []) found.push(String(job.job_id));
      pageToken = list.next_page_token ?? '';
      if (pageToken === '') break;
    }
    return found;
  },
  isMarked: (remote, document) => JSON.stringify(markOf(remote)) === JSON.stringify(markOf(document)),
};

function markOf({ deployment }: Document): unknown {
  return isFields(deployment) ? [deployment.metadata_file_path, deployment.resource] : null;
}

/** The server writes into each job which version it belongs to; nobody sends that. */
export function withoutVersion(settings: Document): Document {
  if (!isFields(settings.deployment)) return settings;
  const { deployment_id: _, version: _version, ...deployment } = settings.deployment;
  return { ...settings, deployment };
}

/** null: somebody deleted the job. */
export async function readJob(
  id: number,
  client: Pick<KindClient, 'jobsGet'>,
): Promise<Record<string, unknown> | null> {
  const settings: Record<string, unknown> = {};
  let pageToken = '';
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const request = { job_id: id, ...(pageToken === '' ? {} : { page_token: pageToken }) };
    const job = await nullIfAbsent(client.jobsGet(request));
    if (job === null) return null;
    joinPage(settings, job.settings);
    pageToken = job.next_page_token ?? '';
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
