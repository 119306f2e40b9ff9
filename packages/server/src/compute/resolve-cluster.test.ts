import { describe, expect, test } from 'vitest';
import {
  assignAllPurpose,
  noDefaultSettings,
  resolveCluster,
  type TaskPlace,
  warehouseClusterPrefix,
} from './resolve-cluster.ts';

const run = { runId: 7, runAs: { id: 1, userName: 'ada' } };
const job = {
  job_clusters: [{ job_cluster_key: 'etl', new_cluster: { num_workers: 3, spark_conf: { a: '1' } } }],
};
const resolve = (task: Partial<TaskPlace>, changes: Partial<typeof run> = {}) =>
  resolveCluster(
    { task_key: 't', ...task },
    job,
    { ...run, ...changes },
    {
      cores: 4,
      defaultCluster: noDefaultSettings,
    },
  );

describe('which cluster', () => {
  test('a task without any compute runs on the shared default cluster, which is kept', () => {
    expect(resolve({}).assignment).toMatchObject({ clusterId: 'default', idleMs: null, sparkConf: {} });
  });

  test('tasks of a run that name the same job cluster share a host, tasks of other runs do not', () => {
    const [one, two, other] = [
      resolve({ job_cluster_key: 'etl' }),
      resolve({ task_key: 'u', job_cluster_key: 'etl' }),
      resolve({ job_cluster_key: 'etl' }, { runId: 8 }),
    ].map(({ assignment }) => assignment.hostKey);

    expect(two).toBe(one);
    expect(other).not.toBe(one);
  });

  test('a new cluster is the task’s own, and the same for its retries', () => {
    const cluster = { new_cluster: { spark_version: '15.4' } };

    expect(resolve(cluster).assignment.hostKey).toBe(resolve(cluster).assignment.hostKey);
    expect(resolve({ ...cluster, task_key: 'u' }).assignment.hostKey).not.toBe(
      resolve(cluster).assignment.hostKey,
    );
  });

  test('an unknown cluster id means the default one and says so', () => {
    const { assignment, warnings } = resolve({ existing_cluster_id: '0923-164208-meows279' });

    expect(assignment.clusterId).toBe('default');
    expect(warnings).toEqual(['cluster 0923-164208-meows279 is unknown here: the shared cluster is used']);
  });

  test('principals never share a host', () => {
    const other = { runAs: { id: 2, userName: 'bob' } };

    expect(resolve({}, other).assignment.hostKey).not.toBe(resolve({}).assignment.hostKey);
  });
});

describe('what it is given', () => {
  test.each([
    [{ num_workers: 3 }, 'local[3]'],
    [{ num_workers: 100 }, 'local[4]'],
    [{ num_workers: 0 }, 'local[2]'],
    [{ num_workers: 2, autoscale: { min_workers: 1, max_workers: 4 } }, 'local[4]'],
  ])('%j becomes %s', (new_cluster, master) => {
    expect(resolve({ new_cluster }).assignment.sparkConf).toEqual({ 'spark.master': master });
  });

  test.each([
    [{ num_workers: 0, node_type_id: 'm5.large' }, undefined],
    [{}, undefined],
    [
      { num_workers: 2, node_type_id: 'm5.xlarge' },
      { min: 2, max: 2, node: { cores: 4, memoryMb: 16_384 } },
    ],
    [
      { num_workers: 9, node_type_id: 'mystery' },
      { min: 9, max: 9, node: null },
    ],
    [{ autoscale: { min_workers: 1, max_workers: 4 } }, { min: 1, max: 4, node: null }],
  ])('%j asks for the executors %j where they are processes of their own', (new_cluster, executors) => {
    expect(resolve({ new_cluster }).assignment.executors).toEqual(executors);
  });

  test('settings that only the hosted product knows can be read and come with a warning, Delta’s own without', () => {
    const spark_conf = {
      'spark.databricks.cluster.profile': 'singleNode',
      'spark.databricks.delta.snapshotPartitions': '1',
      'databricks.loki.enabled': 'true',
      'spark.sql.extensions': 'mine',
      'spark.master': 'local[*, 4]',
      'spark.sql.shuffle.partitions': '8',
    };

    const { assignment, warnings } = resolve({ new_cluster: { spark_conf } });

    expect(assignment.sparkConf).toEqual({
      'spark.master': 'local[2]',
      'spark.databricks.cluster.profile': 'singleNode',
      'spark.databricks.delta.snapshotPartitions': '1',
      'spark.sql.shuffle.partitions': '8',
    });
    expect(warnings.map((warning) => warning.split(' ')[0])).toEqual([
      'spark.databricks.cluster.profile',
      'databricks.loki.enabled',
      'spark.sql.extensions',
    ]);
  });
});

test('the clusters of warehouses guard the files of the machine from SQL, whatever their settings say', () => {
  const spec = { num_workers: 1, spark_conf: { 'spark.headrace.guarded': 'false' } };
  const cluster = { clusterName: 'x', spec, generation: 0 };

  const [warehouse, other] = [`${warehouseClusterPrefix}1`, '1122-abc'].map((clusterId) =>
    assignAllPurpose({ ...cluster, clusterId }, 1, { cores: 2 }),
  );

  expect(warehouse?.sparkConf['spark.headrace.guarded']).toBe('true');
  expect(other?.sparkConf['spark.headrace.guarded']).toBe('false');
});
