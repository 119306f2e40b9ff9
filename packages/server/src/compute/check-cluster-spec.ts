/**
 * The one place where the description of a cluster is judged before it is stored: of an all-purpose cluster, and of one
 * that a job describes. What only the hosted product can do is kept and told of; what could never work is refused.
 */
import { ApiError, type InitScript, type NewCluster } from '@headrace/api';
import { findNodeSize } from './node-types.ts';
import { sortConfs } from './sort-confs.ts';

export interface SpecCheck {
  /** Each begins with the field. */
  readonly problems: readonly string[];
  /** For the cluster's page and its events. */
  readonly warnings: readonly string[];
}

const autotermination = { min: 10, max: 10_000 };
const hereScripts = ['workspace', 'volumes', 'dbfs', 'file'] as const;
const elsewhereScripts = ['s3', 'abfss', 'gcs'] as const;
const environmentName = /^[A-Za-z_][A-Za-z0-9_]*$/;
/** Set by the host itself. */
const reservedEnvironment = /^(HEADRACE_|PYTHONPATH$|PYSPARK_)/;

export function checkClusterSpec(spec: NewCluster, kind: 'all_purpose' | 'job'): SpecCheck {
  return {
    problems: [
      ...(kind === 'all_purpose' ? autoterminationProblems(spec) : []),
      ...sizeProblems(spec),
      ...environmentProblems(spec),
      ...(spec.init_scripts ?? []).flatMap((script, index) =>
        scriptProblems(script).map((problem) => `init_scripts[${index}]: ${problem}`),
      ),
    ],
    warnings: [...nodeTypeWarnings(spec), ...sortConfs(spec.spark_conf ?? {}).warnings],
  };
}

/** As `checkClusterSpec`; throws with every problem. */
export function requireClusterSpec(spec: NewCluster): readonly string[] {
  const { problems, warnings } = checkClusterSpec(spec, 'all_purpose');
  if (problems.length > 0) throw new ApiError('INVALID_PARAMETER_VALUE', problems.join('; '));
  return warnings;
}

function autoterminationProblems({ autotermination_minutes: minutes }: NewCluster): string[] {
  const { min, max } = autotermination;
  if (minutes === undefined || minutes === 0 || (minutes >= min && minutes <= max)) return [];
  return [`autotermination_minutes: expected 0 (never) or ${min} to ${max}, got ${minutes}`];
}

function sizeProblems({ autoscale, num_workers: workers }: NewCluster): string[] {
  const { min_workers: min, max_workers: max } = autoscale ?? {};
  const problems: string[] = [];
  if (autoscale !== undefined && max === undefined) problems.push('autoscale.max_workers: is missing');
  if (min !== undefined && max !== undefined && min > max)
    problems.push(`autoscale: min_workers (${min}) is more than max_workers (${max})`);
  if (workers !== undefined && workers > workersMax)
    problems.push(`num_workers: at most ${workersMax}, got ${workers}`);
  return problems;
}

const workersMax = 100_000;

function environmentProblems({ spark_env_vars: variables = {} }: NewCluster): string[] {
  return Object.keys(variables).flatMap((name) => {
    if (!environmentName.test(name)) return [`spark_env_vars: '${name}' is no name of a variable`];
    return reservedEnvironment.test(name) ? [`spark_env_vars: ${name} is set by Headrace`] : [];
  });
}

function scriptProblems(script: InitScript): string[] {
  const elsewhere = elsewhereScripts.find((place) => script[place] !== undefined);
  if (elsewhere !== undefined)
    return [`${elsewhere} cannot be read here; put the script into the workspace or a volume`];
  const places = hereScripts.filter((place) => script[place] !== undefined);
  if (places.length !== 1) return [`name one place: ${hereScripts.join(', ')}`];
  const path = script[places[0] ?? 'workspace']?.destination ?? '';
  if (path.split('/').includes('..')) return [`'${path}' leads out of its folder`];
  return places[0] === 'volumes' && !path.replace(/^dbfs:/, '').startsWith('/Volumes/')
    ? [`'${path}' is no path of a volume: expected /Volumes/<catalog>/<schema>/<volume>/…`]
    : [];
}

function nodeTypeWarnings({ node_type_id: worker, driver_node_type_id: driver }: NewCluster): string[] {
  const unknown = new Set(
    [worker, driver].filter((name) => name !== undefined && findNodeSize(name) === null),
  );
  return [...unknown].map(
    (name) =>
      `node type ${name} is not known here: the worker's own cores and memory are used; executors elsewhere get 1 core and 1 GiB`,
  );
}
