// How two settings documents differ, field by field. Lists with identities are compared by their keys, and what the
// server fills in by itself is no difference: a second plan finds nothing.

export interface Difference {
  /** `tasks[ingest].new_cluster.num_workers` */
  readonly path: string;
  readonly before: unknown;
  readonly after: unknown;
}

const LIST_KEYS: Readonly<Record<string, string>> = {
  tasks: 'task_key',
  depends_on: 'task_key',
  job_clusters: 'job_cluster_key',
  environments: 'environment_key',
  parameters: 'name',
};

/** A field with this value means the same as a field that is absent. */
const DEFAULTS: Readonly<Record<string, unknown>> = {
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
};
/** Maps whose keys belong to the user: nothing in them is a default. */
const USER_MAPS = [
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
];

type Fields = Readonly<Record<string, unknown>>;

export function findDifferences(before: unknown, after: unknown): Difference[] {
  const differences: Difference[] = [];
  compare(
    { before: prune(before, '') ?? {}, after: prune(after, '') ?? {}, path: '', name: '' },
    differences,
  );
  return differences;
}

interface Pair {
  readonly before: unknown;
  readonly after: unknown;
  readonly path: string;
  /** Of the field that holds the values. */
  readonly name: string;
}

function compare(pair: Pair, differences: Difference[]): void {
  const { before, after, path, name } = pair;
  if (isFields(before) && isFields(after)) {
    for (const key of sortedUnion(Object.keys(before), Object.keys(after))) {
      compare(
        { before: before[key], after: after[key], path: path === '' ? key : `${path}.${key}`, name: key },
        differences,
      );
    }
  } else if (Array.isArray(before) && Array.isArray(after)) {
    const first = keyElements(before, name);
    const second = keyElements(after, name);
    const keyed = first !== null && second !== null;
    const left = keyed ? first : byIndex(before);
    const right = keyed ? second : byIndex(after);
    for (const key of new Set([...right.keys(), ...left.keys()])) {
      compare(
        { before: left.get(key), after: right.get(key), path: `${path}[${key}]`, name: '' },
        differences,
      );
    }
  } else if (!Object.is(before, after)) {
    differences.push({ path, before, after });
  }
}

function sortedUnion(first: readonly string[], second: readonly string[]): string[] {
  return [...new Set([...first, ...second])].sort();
}

function byIndex(list: readonly unknown[]): Map<string, unknown> {
  return new Map(list.map((element, index) => [String(index), element]));
}

/** null: not a list with identities. */
function keyElements(list: readonly unknown[], name: string): Map<string, unknown> | null {
  const field = LIST_KEYS[name];
  if (field === undefined) return null;
  const keyed = new Map<string, unknown>();
  for (const element of list) {
    const key = isFields(element) ? element[field] : undefined;
    if (typeof key !== 'string' || keyed.has(key)) return null;
    keyed.set(key, element);
  }
  return keyed;
}

function prune(value: unknown, name: string): unknown {
  if (Array.isArray(value))
    return value.length === 0 ? undefined : value.map((element) => prune(element, ''));
  if (!isFields(value)) return value ?? undefined;
  const kept = Object.entries(value).flatMap(([key, field]): [string, unknown][] => {
    const pruned = prune(field, key);
    const isDefault = !USER_MAPS.includes(name) && Object.hasOwn(DEFAULTS, key) && pruned === DEFAULTS[key];
    return pruned === undefined || isDefault ? [] : [[key, pruned]];
  });
  return kept.length === 0 ? undefined : Object.fromEntries(kept);
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
