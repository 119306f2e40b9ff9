/** Which Spark settings of a cluster its sessions show: those that have no effect here are said so on the cluster. */

/** Delta's own settings share the prefix and work here. */
const deltaPrefix = 'spark.databricks.delta.';
const hostedPrefixes = ['spark.databricks.', 'databricks.', 'spark.hadoop.fs.s3a.credentialsType'];
/** Of these, what code may ask its session for; Spark takes any of that name and does nothing with it. */
const readablePrefix = 'spark.databricks.';
/** Set by the host for every JVM; another value would break the catalogs or the sessions. */
const reserved = new Set([
  'spark.sql.extensions',
  'spark.sql.catalog.spark_catalog',
  'spark.sql.catalogImplementation',
  'spark.plugins',
]);

export interface SortedConf {
  readonly kept: Readonly<Record<string, string>>;
  readonly warnings: readonly string[];
}

export function sortConfs(conf: Readonly<Record<string, string>>): SortedConf {
  const kept: Record<string, string> = {};
  const warnings: string[] = [];
  for (const [name, value] of Object.entries(conf)) {
    if (reserved.has(name)) warnings.push(`${name} has no effect: Headrace sets it for every cluster`);
    else if (isHostedOnly(name)) {
      warnings.push(`${name} has no effect: only the hosted product knows it`);
      if (name.startsWith(readablePrefix)) kept[name] = value;
    }
    // Marks a single-node cluster there; here the number of threads says it.
    else if (name === 'spark.master' && value.startsWith('local')) continue;
    else kept[name] = value;
  }
  return { kept, warnings };
}

function isHostedOnly(name: string): boolean {
  return !name.startsWith(deltaPrefix) && hostedPrefixes.some((prefix) => name.startsWith(prefix));
}
