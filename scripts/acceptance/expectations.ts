/** What the job documents among the acceptance examples must come to: their README in words, here as a table. */
import type { JobSettings } from '@headrace/api';

export interface ExpectedRun {
  readonly parameters?: Readonly<Record<string, string>>;
  /** Of a job without parameters of its own. */
  readonly notebookParameters?: Readonly<Record<string, string>>;
  readonly state: 'SUCCESS' | 'FAILED';
  /** The latest attempt of each task: how it ended, and what its output holds. */
  readonly tasks: Readonly<Record<string, readonly [result: string, output?: RegExp]>>;
  /** Between the starts of the attempts of the only task: each at least this, and less than twice of it. */
  readonly waitsMs?: readonly number[];
  /** By task: how many. */
  readonly attempts?: Readonly<Record<string, number>>;
  /** By task: a value that its output must show as [REDACTED]. */
  readonly neverLogged?: Readonly<Record<string, string>>;
}

/** What was made before the documents are played, and is named in them. */
export interface Made {
  readonly queryId: string;
  readonly policyId: string;
  /** null: there is no Java compiler here. */
  readonly jar: string | null;
}

export interface Expectation {
  readonly file: string;
  readonly needsSpark?: boolean;
  /** What an example leaves to be filled in, and kinds of tasks that do not run yet. */
  readonly change?: (job: JobSettings, made: Made) => JobSettings;
  readonly runs: readonly ExpectedRun[];
}

function without(job: JobSettings, keys: readonly string[]): JobSettings {
  return { ...job, tasks: (job.tasks ?? []).filter(({ task_key }) => !keys.includes(task_key)) };
}

function replaced(job: JobSettings, placeholder: string, value: string): JobSettings {
  return JSON.parse(JSON.stringify(job).replaceAll(placeholder, value)) as JobSettings; // of the same shape
}

const done = ['SUCCESS', /^done$/] as const;
const excluded = ['EXCLUDED'] as const;
const good = ['SUCCESS'] as const;
const share = (valid_share: string) => ({ parameters: { valid_share } });

export const expectations: readonly Expectation[] = [
  { file: 'linear', runs: [{ state: 'SUCCESS', tasks: { extract: done, transform: done, load: done } }] },
  { file: 'abcd', runs: [{ state: 'SUCCESS', tasks: { A: done, B: done, C: done, D: done } }] },
  { file: 'fan_out', runs: [{ state: 'SUCCESS', tasks: { extract_source: done, analytics: done } }] },
  { file: 'outcome_success', runs: [{ state: 'SUCCESS', tasks: { after_success: done } }] },
  { file: 'notified', runs: [{ state: 'SUCCESS', tasks: { only: done } }] },
  {
    file: 'guarded',
    runs: [
      {
        state: 'SUCCESS',
        tasks: { full_load: done, after_full: done, limited_load: excluded, raise_alert: excluded },
      },
      { ...share('0.85'), state: 'SUCCESS', tasks: { limited_load: done, after_full: excluded } },
      { ...share('0.5'), state: 'SUCCESS', tasks: { raise_alert: done, full_load: excluded } },
    ],
  },
  {
    file: 'condition_branches',
    runs: [
      { state: 'SUCCESS', tasks: { is_good: good, full_load: done, other_load: excluded, numeric: good } },
      { ...share('0.85'), state: 'SUCCESS', tasks: { full_load: excluded, other_load: done } },
    ],
  },
  {
    file: 'spellings_legacy',
    runs: [
      {
        state: 'SUCCESS',
        tasks: {
          spellings_legacy: [
            'SUCCESS',
            /"color": "blue", "day": "\d{4}-\d\d-\d\d", "job": "\d+".*"retry": "0"/,
          ],
        },
      },
      {
        notebookParameters: { color: 'red' },
        state: 'SUCCESS',
        tasks: { spellings_legacy: ['SUCCESS', /"color": "red"/] },
      },
    ],
  },
  {
    file: 'retry_backoff',
    runs: [
      {
        state: 'SUCCESS',
        tasks: { partner_call: ['SUCCESS', /succeeded on attempt 6/] },
        waitsMs: [5_000, 10_000, 20_000, 40_000, 60_000],
      },
      {
        parameters: { succeed_on: '7' },
        state: 'FAILED',
        tasks: { partner_call: ['FAILED', /attempt 6: partner did not answer/] },
        waitsMs: [5_000, 10_000, 20_000, 40_000, 60_000],
      },
    ],
  },
  {
    file: 'retry_plain',
    runs: [
      {
        state: 'SUCCESS',
        tasks: { unreliable: ['SUCCESS', /succeeded on attempt 3/] },
        waitsMs: [30_000, 60_000],
      },
    ],
  },
  {
    file: 'retry_timeout',
    runs: [
      {
        state: 'FAILED',
        tasks: {
          slow: ['SUCCESS', /woke on attempt 2/],
          slow_no_retry: ['TIMEDOUT', /timeout_seconds of 10 s/],
        },
      },
    ],
  },
  { file: 'spot', runs: [{ state: 'SUCCESS', tasks: { batch: done } }] },
  { file: 'pool', runs: [{ state: 'SUCCESS', tasks: { pooled_step: done, existing_step: done } }] },
  {
    file: 'spellings_new',
    needsSpark: true,
    runs: [
      {
        state: 'SUCCESS',
        tasks: {
          echo_new: ['SUCCESS', /"color": "blue".*"kind": "one_time"/],
          script_new: ['SUCCESS', /sum 10/],
        },
      },
      {
        parameters: { color: 'red' },
        state: 'SUCCESS',
        tasks: { echo_new: ['SUCCESS', /"color": "red"/] },
      },
    ],
  },
  {
    file: 'daily_etl',
    needsSpark: true,
    runs: [
      {
        state: 'FAILED',
        tasks: { ingest_sales: good, summarise_sales: ['FAILED', /query-sales-001/] },
        attempts: { summarise_sales: 2 },
      },
    ],
  },
  {
    file: 'daily_etl',
    needsSpark: true,
    change: (job, { queryId }) => replaced(job, 'query-sales-001', queryId),
    runs: [{ state: 'SUCCESS', tasks: { ingest_sales: good, summarise_sales: good } }],
  },
  {
    file: 'advanced',
    needsSpark: true,
    runs: [{ state: 'SUCCESS', tasks: { check_inputs: ['SUCCESS', /^checked$/] } }],
  },
  {
    file: 'task_types',
    needsSpark: true,
    change: (job, { jar }) =>
      without(replaced(job, '/Volumes/dev/libs/seed-wordcount.jar', jar ?? ''), [
        'pipeline',
        ...(jar === null ? ['jar'] : []),
      ]),
    runs: [
      {
        state: 'SUCCESS',
        tasks: {
          script: ['SUCCESS', /sum 10/],
          sql_file: ['SUCCESS', /"east".*"10".*"165.*"north".*"155.*"west".*"145/],
          jar: ['SUCCESS', /\{a=2, b=1\} 10/],
          dbt: ['SUCCESS', /region_amount/],
        },
      },
    ],
  },
  {
    file: 'secured',
    needsSpark: true,
    change: (job, { policyId }) => replaced(job, 'REPLACE-WITH-POLICY-ID', policyId),
    runs: [
      {
        state: 'SUCCESS',
        tasks: { read_secret: ['SUCCESS', /^8$/] },
        neverLogged: { read_secret: 'k-123456' },
      },
    ],
  },
  {
    file: 'tables_loop',
    needsSpark: true,
    runs: [{ state: 'SUCCESS', tasks: { process_customers: good, process_inventory: good, summary: done } }],
  },
  {
    file: 'clusters',
    needsSpark: true,
    runs: [
      {
        state: 'SUCCESS',
        tasks: {
          single: ['SUCCESS', /"spark.databricks.cluster.profile": "singleNode"/],
          memory: ['SUCCESS', /"spark.sql.adaptive.advisoryPartitionSizeInBytes": "256MB"/],
          compute: ['SUCCESS', /"spark.sql.adaptive.enabled": "true"/],
          streaming: ['SUCCESS', /"spark.sql.streaming.metricsEnabled": "true"/],
        },
      },
    ],
  },
];
