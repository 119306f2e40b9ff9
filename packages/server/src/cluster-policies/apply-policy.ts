/**
 * What a policy makes of the description of a cluster: fixed values and defaults go where it leaves something out, then
 * every value meets the rule that speaks about it most exactly. Decided from documents alone.
 */
import type { NewCluster } from '@headrace/api';
import {
  findLeaves,
  hasWildcard,
  type Leaf,
  matchesPath,
  namesGroup,
  type Path,
  toText,
  wildcard,
  withValue,
} from './attribute-path.ts';
import { judgeValue, resolveAuto, show } from './judge-value.ts';
import { givenValue } from './parse-definition.ts';
import type { PolicyRule, PolicyRules } from './policy-rule.ts';

export interface PolicyFacts {
  readonly clusterType: 'all-purpose' | 'job';
  /** Fixed values go in always. */
  readonly appliesDefaults: boolean;
  /** Of the instance pool that the cluster takes its machines from. */
  readonly poolNodeTypeId: string | null;
}

export interface PolicyVerdict {
  readonly spec: NewCluster;
  /** Each begins with the attribute and names the rule and the policy. */
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

export function applyPolicy(policy: PolicyRules, asked: NewCluster, facts: PolicyFacts): PolicyVerdict {
  const spec = complete(policy, asked, facts);
  const leaves = [...findLeaves(spec), ...findVirtualLeaves(spec, facts)];
  const refused = leaves.flatMap((leaf) => judgeLeaf(leaf, policy));
  const missing = policy.rules.flatMap((rule) => judgeMissing(rule, { leaves, spec, policy, facts }));
  const unpriced = policy.rules.some(({ path }) => path[0] === 'dbus_per_hour');
  return {
    spec,
    problems: [...refused, ...missing],
    warnings: unpriced
      ? [`dbus_per_hour: Headrace has no such price, so this rule of policy '${policy.name}' has no effect`]
      : [],
  };
}

function complete(policy: PolicyRules, asked: NewCluster, facts: PolicyFacts): NewCluster {
  let spec = completeLogs(policy, asked);
  for (const { path, rule } of policy.rules) {
    if (hasWildcard(path) || namesGroup(path) || isVirtual(path)) continue;
    if (isWaived(path, { spec: asked, policy, facts }) || hasValue(spec, path)) continue;
    const value = rule.type === 'fixed' || facts.appliesDefaults ? givenValue(rule) : undefined;
    if (value !== undefined) spec = withValue(spec, path, resolveAuto(value)) ?? spec;
  }
  return spec;
}

function isVirtual([first, second]: Path): boolean {
  if (first === 'cluster_type' || first === 'dbus_per_hour') return true;
  return first === 'cluster_log_conf' && (second === 'type' || second === 'path');
}

const logPlaces = { DBFS: 'dbfs', VOLUMES: 'volumes', S3: 's3' } as const;

/** Policies say where logs go in two virtual attributes. */
function completeLogs({ rules }: PolicyRules, asked: NewCluster): NewCluster {
  if (asked.cluster_log_conf !== undefined) return asked;
  const fixedAs = (name: string) => {
    const found = rules.find(({ path }) => toText(path) === `cluster_log_conf.${name}`);
    return found?.rule.type === 'fixed' ? String(found.rule.value) : null;
  };
  const destination = fixedAs('path');
  const type = fixedAs('type') ?? (destination?.startsWith('/Volumes/') ? 'VOLUMES' : 'DBFS');
  if (destination === null || !Object.hasOwn(logPlaces, type)) return asked;
  return { ...asked, cluster_log_conf: { [logPlaces[type as keyof typeof logPlaces]]: { destination } } };
}

function findVirtualLeaves(spec: NewCluster, { clusterType, poolNodeTypeId }: PolicyFacts): Leaf[] {
  const leaves: Leaf[] = [{ path: ['cluster_type'], value: clusterType }];
  const worker = spec.node_type_id ?? poolNodeTypeId;
  if (spec.node_type_id === undefined && worker !== null)
    leaves.push({ path: ['node_type_id'], value: worker });
  // The driver is of the workers' type, unless told otherwise.
  if (spec.driver_node_type_id === undefined && worker !== null)
    leaves.push({ path: ['driver_node_type_id'], value: worker });
  for (const [type, place] of Object.entries(logPlaces)) {
    const destination = spec.cluster_log_conf?.[place]?.destination;
    if (destination === undefined) continue;
    leaves.push({ path: ['cluster_log_conf', 'type'], value: type });
    leaves.push({ path: ['cluster_log_conf', 'path'], value: destination });
  }
  return leaves;
}

function hasValue(spec: NewCluster, path: Path): boolean {
  return findLeaves(spec).some((leaf) => matchesPath(path, leaf.path));
}

function judgeLeaf({ path, value }: Leaf, policy: PolicyRules): string[] {
  // How the request is to be read, and which policy it is: neither is part of the cluster.
  if (path[0] === 'policy_id' || path[0] === 'apply_policy_default_values') return [];
  const found = findRule(path, policy);
  const wanted = found === null ? null : judgeValue(value, found.rule);
  if (found === null || wanted === null) return [];
  // Variables hold secrets.
  const got = path[0] === 'spark_env_vars' ? '' : `, got ${show(value)}`;
  return [`${toText(path)}: the value ${wanted}${got} ${nameRule(found, policy)}`];
}

/** The one with the most parts that are written out. */
function findRule(path: Path, { rules }: PolicyRules): PolicyRule | null {
  const exactness = ({ path: pattern }: PolicyRule) =>
    pattern.filter((part) => part !== wildcard).length - (hasWildcard(pattern) ? 0.5 : 0);
  const matching = rules.filter((rule) => matchesPath(rule.path, path));
  return matching.sort((a, b) => exactness(b) - exactness(a))[0] ?? null;
}

interface Judged {
  readonly spec: NewCluster;
  readonly policy: PolicyRules;
  readonly facts: PolicyFacts;
}

function judgeMissing(found: PolicyRule, judged: Judged & { readonly leaves: readonly Leaf[] }): string[] {
  const { path, rule } = found;
  if (rule.type === 'forbidden' || rule.isOptional || hasWildcard(path) || path[0] === 'dbus_per_hour')
    return [];
  if (judged.leaves.some((leaf) => matchesPath(path, leaf.path)) || isWaived(path, judged)) return [];
  return [`${toText(path)}: a value is required ${nameRule(found, judged.policy)}`];
}

/** Attributes that a cluster of this shape does not have. */
function isWaived([first]: Path, { spec, policy, facts }: Judged): boolean {
  // It ends with its run.
  if (first === 'autotermination_minutes') return facts.clusterType === 'job';
  if (first === 'node_type_id' || first === 'driver_node_type_id') return spec.instance_pool_id !== undefined;
  // Two ways to say a size: where a policy has rules for both, those count that a cluster uses.
  const speaksOf = (...path: Path) => policy.rules.some((rule) => matchesPath(rule.path, path));
  if (!speaksOf('autoscale', 'max_workers') || !speaksOf('num_workers')) return false;
  if (first === 'num_workers') return spec.autoscale !== undefined;
  return first === 'autoscale' && spec.autoscale === undefined && spec.num_workers !== undefined;
}

function nameRule({ rule }: PolicyRule, { name, policyId }: PolicyRules): string {
  return `(rule ${rule.type} of policy '${name}', ${policyId})`;
}
