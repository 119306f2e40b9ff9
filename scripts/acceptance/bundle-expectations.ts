/** What the bundles among the acceptance examples must come to: commands in the order of their README. */
import type { ExpectedRun } from './expectations.ts';

export interface BundleStep {
  readonly bundle: 'wheel-bundle' | 'medallion-bundle';
  /** After `headrace`. */
  readonly command: string;
  /** 0 unless said. */
  readonly exitCode?: number;
  /** In what the command prints, on either stream. */
  readonly prints?: readonly RegExp[];
  /** Files put in place, and texts replaced in databricks.yml, before the command. */
  readonly change?: BundleChange;
  /** The run that the command started. */
  readonly run?: ExpectedRun['tasks'];
  /** Statement → its rows as CSV without the header. */
  readonly rows?: Readonly<Record<string, string>>;
}

export interface BundleChange {
  /** In place of databricks.yml, from `variants`. */
  readonly variant?: string;
  readonly replace?: readonly (readonly [before: string, after: string])[];
}

const ok = ['SUCCESS'] as const;
const excluded = ['EXCLUDED'] as const;
const upstreamFailed = ['UPSTREAM_FAILED'] as const;
const byCountry = 'DE,12,12\nFR,21,16\nIN,22,18\nJP,20,17\nUS,25,20';
const revenue = 'select order_date, orders, revenue from dev_catalog.gold.daily_revenue order by 1';

/** An entry point that the wheel has not; retries would take six minutes. */
const mistyped: BundleChange = {
  replace: [
    ['entry_point: ingest', 'entry_point: ingset'],
    ['max_retries: 3', 'max_retries: 0'],
  ],
};

const wheelSteps: readonly Omit<BundleStep, 'bundle'>[] = [
  { command: 'bundle validate', exitCode: 2, prints: [/target/] },
  { command: 'bundle validate -t dev' },
  { command: 'bundle plan -t dev', prints: [/1 .*create|create.*daily_events/] },
  { command: 'bundle deploy --target dev' },
  { command: 'bundle plan -t dev', prints: [/no changes|nothing to do/i] },
  {
    command: 'bundle run daily_events --target dev',
    run: {
      ingest: ok,
      transform: ok,
      notify: ['SUCCESS', /^\{"rows": 300, "countries": 5, "missing": "absent"\}$/],
    },
    rows: {
      'select count(*) from dev.raw.events': '300',
      'select country, events, users from dev.reporting.events_by_country order by 1': byCountry,
    },
  },
  {
    command: 'bundle run -t dev daily_events --params run_date=2026-03-01',
    run: { ingest: ok, transform: ok, notify: ok },
    rows: { 'select country, events, users from dev.reporting.events_by_country order by 1': byCountry },
  },
  { command: 'bundle summary -t dev', prints: [/daily-events-dev/] },
  {
    command: 'bundle plan -t dev',
    change: { replace: [['num_workers: 4', 'num_workers: 2']] },
    prints: [/tasks\[ingest\]\.new_cluster\.num_workers/],
  },
  { command: 'bundle deploy --target prod' },
  {
    command: 'bundle run daily_events --target prod',
    run: { ingest: ok, transform: ok, notify: ok },
    rows: { 'select country, events, users from main.reporting.events_by_country order by 1': byCountry },
  },
  {
    command: 'bundle validate -t dev',
    change: { variant: 'bad-cycle.yml' },
    exitCode: 2,
    prints: [/ingest.*transform|transform.*ingest/, /transfrom/, /databricks\.yml:\d+/],
  },
  {
    command: 'bundle validate -t dev',
    change: { variant: 'bad-schedule.yml' },
    exitCode: 2,
    prints: [/five/i, /zone/i],
  },
  { command: 'bundle deploy -t dev --auto-approve', change: { variant: 'explicit-libraries.yml' } },
  {
    command: 'bundle run -t dev daily_events',
    change: { variant: 'explicit-libraries.yml' },
    run: { post_to_slack: excluded },
  },
  { command: 'bundle validate -t dev', change: mistyped },
  { command: 'bundle deploy -t dev --auto-approve', change: mistyped },
  {
    command: 'bundle run -t dev daily_events',
    change: mistyped,
    exitCode: 1,
    run: { ingest: ['FAILED', /ingest, transform/], transform: upstreamFailed, notify: upstreamFailed },
  },
  { command: 'bundle destroy -t dev --auto-approve' },
  { command: 'bundle destroy -t prod --auto-approve' },
];

const fine = {
  land_raw: ok,
  build_gold: ok,
  data_quality_check: ok,
  record_metrics: ok,
  maintain_tables: ok,
  send_alert: excluded,
  escalate: excluded,
  alert_on_failure: excluded,
  refresh_summary: ok,
} satisfies ExpectedRun['tasks'];

const medallionSteps: readonly Omit<BundleStep, 'bundle'>[] = [
  { command: 'bundle validate -t dev' },
  { command: 'bundle validate -t staging' },
  { command: 'bundle validate -t prod' },
  { command: 'bundle validate -t qa', exitCode: 2, prints: [/dev.*staging.*prod/] },
  {
    command: 'bundle validate -t dev',
    change: { variant: 'bad-undeclared.yml' },
    exitCode: 2,
    prints: [/cluster_id/, /load_query/, /schedule_enabled/, /warehouse_id/],
  },
  { command: 'bundle deploy -t dev' },
  { command: 'bundle deploy -t dev', prints: [/no changes|nothing to do/i] },
  {
    command: 'bundle run -t dev orders_daily',
    run: {
      ...fine,
      load_customers: ok,
      load_orders: ok,
      load_products: ok,
      basic_cleanup: excluded,
      build_gold: ['SUCCESS', /^910\.0$/],
      publish_report: ['SUCCESS', /2026-03-01.*9.*390.*2026-03-02.*10.*520/],
    },
    rows: {
      [revenue]: '2026-03-01,9,390.0\n2026-03-02,10,520.0',
      'select order_id from dev_catalog.bronze.orders_dead_letter': '7',
    },
  },
  {
    command: 'bundle run -t dev orders_daily --params batch=fair',
    run: {
      ...fine,
      load_customers: excluded,
      load_orders: excluded,
      basic_cleanup: ok,
      build_gold: ['SUCCESS', /^870\.0$/],
    },
    rows: { [revenue]: '2026-03-01,9,390.0\n2026-03-02,8,480.0' },
  },
  {
    command: 'bundle run -t dev orders_daily --params batch=poor',
    run: { land_raw: ok, send_alert: ok, escalate: ok, build_gold: excluded, alert_on_failure: excluded },
    rows: { [revenue]: '2026-03-01,9,390.0\n2026-03-02,8,480.0' },
  },
  {
    command: 'bundle run -t dev orders_daily --params batch=missing',
    exitCode: 1,
    run: { land_raw: ['FAILED', /FileNotFoundError/], build_gold: upstreamFailed, alert_on_failure: ok },
  },
  {
    command: 'bundle run -t dev customer_history',
    run: { merge_history: ['SUCCESS', /rows=6 current=6 closed=0/] },
  },
  {
    command: 'bundle run -t dev customer_history --params snapshot=day2',
    run: { merge_history: ['SUCCESS', /rows=9 current=7 closed=2/] },
  },
  {
    command: 'bundle run -t dev customer_history --params snapshot=day2',
    run: { merge_history: ['SUCCESS', /rows=9 current=7 closed=2/] },
  },
  {
    command: 'bundle run -t dev resilience',
    run: {
      robust_processing: ok,
      partner_api: ['SUCCESS', /^SUCCESS:9:OPEN$/],
      table_settings: ['SUCCESS', /settings ok/],
    },
  },
  {
    command: 'bundle run -t dev resilience --params fail=missing_table',
    exitCode: 1,
    run: { robust_processing: ['FAILED'] },
  },
  { command: 'bundle run -t dev resilience --params fail=empty', run: { robust_processing: ok } },
  {
    command: 'bundle run -t dev orders_export',
    run: { extract_orders: ok, shape_orders: ok, publish_orders: ok },
    rows: {
      'select order_date, orders, revenue from dev_catalog.gold.order_totals order by 1':
        '2026-03-01,9,390.0\n2026-03-02,10,520.0',
    },
  },
  { command: 'bundle run -t dev churn_training', run: { train: ['SUCCESS', /accepted/] } },
  { command: 'bundle generate deploy -t prod' },
  { command: 'bundle summary -t dev', prints: [/orders_daily/] },
  { command: 'bundle destroy -t dev --auto-approve' },
];

export const bundleSteps: readonly BundleStep[] = [
  ...wheelSteps.map((step) => ({ bundle: 'wheel-bundle' as const, ...step })),
  ...medallionSteps.map((step) => ({ bundle: 'medallion-bundle' as const, ...step })),
];
