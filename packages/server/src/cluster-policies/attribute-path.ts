/**
 * Paths of a policy, `spark_conf.spark.sql.ansi.enabled` or `init_scripts.*.workspace.destination`, and the fields of a
 * cluster that they name. Keys of maps have dots of their own, so a path is read by the field that it begins with.
 */
import type { NewCluster } from '@headrace/api';

export type Path = readonly string[];
export type Scalar = string | number | boolean;

export interface Leaf {
  readonly path: Path;
  readonly value: Scalar;
}

type Kind = 'scalar' | 'object' | 'map' | 'list';

/** What the clusters API of the hosted product takes (databricks-sdk 0.162.0, Apache-2.0), and its virtual attributes. */
const attributes: Readonly<Record<string, Kind>> = {
  autoscale: 'object',
  autotermination_minutes: 'scalar',
  aws_attributes: 'object',
  azure_attributes: 'object',
  cluster_log_conf: 'object',
  cluster_name: 'scalar',
  cluster_type: 'scalar',
  custom_tags: 'map',
  data_security_mode: 'scalar',
  dbus_per_hour: 'scalar',
  docker_image: 'object',
  driver_instance_pool_id: 'scalar',
  driver_node_type_id: 'scalar',
  enable_elastic_disk: 'scalar',
  enable_local_disk_encryption: 'scalar',
  gcp_attributes: 'object',
  init_scripts: 'list',
  instance_pool_id: 'scalar',
  is_single_node: 'scalar',
  kind: 'scalar',
  node_type_id: 'scalar',
  num_workers: 'scalar',
  remote_disk_throughput: 'scalar',
  runtime_engine: 'scalar',
  single_user_name: 'scalar',
  spark_conf: 'map',
  spark_env_vars: 'map',
  spark_version: 'scalar',
  ssh_public_keys: 'list',
  total_initial_remote_disk_size: 'scalar',
  use_ml_runtime: 'scalar',
  workload_type: 'object',
};

export const wildcard = '*';
const depthMax = 8;

/** A path, or what is wrong with it. */
export function parsePath(text: string): Path | { readonly problem: string } {
  const [first = '', ...rest] = text.split('.');
  const kind = Object.hasOwn(attributes, first) ? attributes[first] : undefined;
  if (kind === undefined) return { problem: `'${first}' is no attribute of a cluster` };
  if (kind === 'scalar') {
    return rest.length === 0 ? [first] : { problem: `${first} has no parts` };
  }
  if (rest.length === 0) return [first];
  const path = kind === 'map' ? [first, rest.join('.')] : [first, ...rest];
  if (path.includes('')) return { problem: 'a part of the path is empty' };
  if (path.length > depthMax) return { problem: `at most ${depthMax} parts` };
  if (kind === 'list' && !/^(\*|\d{1,3})$/.test(path[1] ?? ''))
    return { problem: `${first} is a list: write ${first}.* or the place of an element, such as ${first}.0` };
  return path;
}

/** Whether the path alone names no single value: the rest of it is missing. */
export function namesGroup(path: Path): boolean {
  const [first = ''] = path;
  return path.length === 1 && attributes[first] !== 'scalar';
}

export function hasWildcard(path: Path): boolean {
  return path.some((part) => part === wildcard || part.endsWith(`.${wildcard}`));
}

export function toText(path: Path): string {
  return path.join('.');
}

/** Whether a rule of `pattern` speaks about `path`. A wildcard at the end stands for all that follows. */
export function matchesPath(pattern: Path, path: Path): boolean {
  if (pattern.length > path.length) return false;
  const isOpen = pattern.length === 1 || pattern.at(-1) === wildcard;
  if (pattern.length < path.length && !isOpen) return false;
  return pattern.every((part, index) => matchesPart(part, path[index] ?? ''));
}

/** Keys of maps may also end in a wildcard: `spark.sql.*`. */
function matchesPart(pattern: string, part: string): boolean {
  if (pattern === wildcard || pattern === part) return true;
  return pattern.endsWith(`.${wildcard}`) && part.startsWith(pattern.slice(0, -1));
}

/** Every single value of a cluster with its path. */
export function findLeaves(spec: NewCluster): Leaf[] {
  return Object.entries(spec).flatMap(([name, value]) => leavesOf([name], value));
}

function leavesOf(path: Path, value: unknown): Leaf[] {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
    return [{ path, value }];
  if (typeof value !== 'object' || value === null || path.length > depthMax) return [];
  return Object.entries(value).flatMap(([name, part]) => leavesOf([...path, name], part));
}

/** A copy with the value in its place; null where an element of a list would have to come before others. */
export function withValue(spec: NewCluster, path: Path, value: Scalar): NewCluster | null {
  const isText = attributes[path[0] ?? ''] === 'map';
  const changed = place(spec, path, isText ? String(value) : value);
  // Fields keep their kinds; the schema judges the values, see `parseDefinition`.
  return changed === null ? null : (changed as NewCluster);
}

function place(at: unknown, [name, ...rest]: Path, value: Scalar): unknown {
  if (name === undefined) return value;
  if (Array.isArray(at) || (at === undefined && /^\d+$/.test(name))) {
    const list: readonly unknown[] = Array.isArray(at) ? at : [];
    if (Number(name) > list.length) return null;
    const part = place(list[Number(name)], rest, value);
    return part === null ? null : list.toSpliced(Number(name), 1, part);
  }
  const fields = typeof at === 'object' && at !== null ? at : {};
  const part = place(
    Object.hasOwn(fields, name) ? fields[name as keyof typeof fields] : undefined,
    rest,
    value,
  );
  return part === null ? null : { ...fields, [name]: part };
}
