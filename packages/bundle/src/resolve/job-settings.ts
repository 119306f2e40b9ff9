// A resolved job as the document that is sent: values that the API wants as texts are written as texts, so that
// `base_parameters: {limit: 10}` and what the server stores are the same.

import { type MappingNode, mapScalars, type Path, scalarNode, toPlain, withoutKeys } from '../nodes.ts';

/** Objects whose values are texts, by their name. */
const TEXT_MAPS = [
  'tags',
  'base_parameters',
  'named_parameters',
  'spark_conf',
  'custom_tags',
  'spark_env_vars',
  'job_parameters',
  'notebook_params',
  'python_named_params',
  'sql_params',
  'worker_labels',
];
/** Lists of texts. */
const TEXT_LISTS = [
  'parameters',
  'dependencies',
  'on_start',
  'on_success',
  'on_failure',
  'python_params',
  'jar_params',
  'spark_submit_params',
  'dbt_commands',
];

export function withTextValues(job: MappingNode): MappingNode {
  return mapScalars(job, (scalar, path) => {
    const isText = typeof scalar.value === 'number' || typeof scalar.value === 'boolean';
    return isText && wantsText(path) ? scalarNode(String(scalar.value), scalar.at) : scalar;
  }) as MappingNode; // a mapping stays one
}

function wantsText(path: Path): boolean {
  const [key, parent, grandparent] = path.toReversed();
  if (typeof key === 'string' && TEXT_MAPS.includes(String(parent))) return true;
  if (typeof key === 'number') return TEXT_LISTS.includes(String(parent));
  // A job parameter's default, and sql_task.parameters, which is an object.
  if (key === 'default' && grandparent === 'parameters') return true;
  return parent === 'parameters' && grandparent === 'sql_task';
}

export function toSettings(job: MappingNode): Record<string, unknown> {
  // Permissions are no part of a job's settings; they have routes of their own, which do not exist yet.
  const sent = withoutKeys(withTextValues(job), ['permissions']);
  return dropNulls(toPlain(sent)) as Record<string, unknown>; // a mapping becomes an object
}

/** `schedule:` without a value says nothing. */
function dropNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.filter((entry) => entry !== null).map(dropNulls);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, entry]) => entry !== null)
      .map(([key, entry]) => [key, dropNulls(entry)]),
  );
}
