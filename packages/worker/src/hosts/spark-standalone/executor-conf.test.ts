import { describe, expect, test } from 'vitest';
import type { ClusterAssignment } from '../../ports.ts';
import { jarsBesideSpark, toExecutorConf, toSeconds } from './executor-conf.ts';
import { checkMaster } from './reach-master.ts';

const node = { cores: 4, memoryMb: 16_384 };
const facts = {
  master: 'spark://m:7077',
  driverAddress: '10.0.0.7',
  jars: ['/r/delta.jar', '/r/plugin.jar'],
  pythonPath: '/h/python',
  cores: 8,
};
const conf = (cluster: Partial<ClusterAssignment>) =>
  toExecutorConf(
    {
      ...{ clusterId: 'c', clusterName: 'c', hostKey: 'k', idleMs: null, environment: {} },
      sparkConf: { 'spark.master': 'local[2]' },
      ...cluster,
    },
    facts,
  );

describe('executors', () => {
  test('there is one for each node, as large as its type', () => {
    const { conf: made, watch } = conf({ executors: { min: 3, max: 3, node } });

    expect(watch).toEqual({
      ...{ master: 'spark://m:7077', min: 3, max: 3 },
      ...{ cores: 4, memory: '11468m', wait_seconds: 120 },
    });
    expect(made).toMatchObject({
      'spark.master': 'spark://m:7077',
      'spark.driver.host': '10.0.0.7',
      'spark.executor.cores': '4',
      'spark.executor.memory': '11468m',
      'spark.cores.max': '12',
      'spark.task.reaper.killTimeout': '30s',
      'spark.jars': '/r/delta.jar,/r/plugin.jar',
    });
    expect(Object.keys(made).filter((name) => name.includes('dynamic'))).toEqual([]);
  });

  test('a cluster that scales begins with the fewest', () => {
    const { conf: made } = conf({ executors: { min: 1, max: 4, node } });

    expect(made).toMatchObject({
      'spark.dynamicAllocation.enabled': 'true',
      'spark.dynamicAllocation.shuffleTracking.enabled': 'true',
      'spark.dynamicAllocation.initialExecutors': '1',
      'spark.dynamicAllocation.maxExecutors': '4',
      'spark.cores.max': '16',
    });
  });

  test('what a user has set wins, but for what executors need in any case', () => {
    const sparkConf = {
      'spark.master': 'spark://other:7077',
      'spark.executor.cores': '2',
      'spark.executor.memory': '1g',
      'spark.jars': '/mine.jar',
      'spark.headrace.executorWait': '5min',
    };

    const { conf: made, watch } = conf({ executors: { min: 3, max: 3, node }, sparkConf });

    expect(made).toMatchObject({
      'spark.master': 'spark://other:7077',
      'spark.cores.max': '6',
      'spark.executor.memory': '1g',
      'spark.jars': '/r/delta.jar,/r/plugin.jar,/mine.jar',
    });
    expect(watch).toMatchObject({ master: 'spark://other:7077', cores: 2, memory: '1g', wait_seconds: 300 });
  });

  test('the environment of the cluster is theirs too, with the runtime’s own path', () => {
    const { conf: made } = conf({
      executors: { min: 1, max: 1, node: null },
      environment: { STAGE: 'test' },
    });

    expect(made).toMatchObject({
      'spark.executorEnv.STAGE': 'test',
      'spark.executorEnv.PYTHONPATH': '/h/python',
      'spark.executor.cores': '1',
      'spark.executor.memory': '1g',
    });
  });

  test('a cluster of one node works on all cores of the driver, or on the master that it names', () => {
    expect(conf({})).toEqual({ conf: { 'spark.master': 'local[8]' }, watch: null });
    expect(conf({ sparkConf: {} })).toEqual({ conf: { 'spark.master': 'local[8]' }, watch: null });
    for (const master of ['spark://other:7077', 'local[4]', 'local[*]']) {
      expect(conf({ sparkConf: { 'spark.master': master } })).toEqual({ conf: {}, watch: null });
    }
  });
});

test('only jars that are not Spark’s own go to executors', () => {
  const classPath = ['/r/jars/delta.jar', '/s/jars/spark-core.jar', '/r/plugin/p.jar'];

  expect(jarsBesideSpark(classPath, '/s')).toEqual(['/r/jars/delta.jar', '/r/plugin/p.jar']);
});

test.each([
  ['90', 90],
  ['90s', 90],
  ['5m', 300],
  ['5min', 300],
  ['1h', 3_600],
  ['2D', 172_800],
  ['90000ms', 90],
  ['1ms', 1],
  ['5 weeks', null],
  ['soon', null],
])('a time of %s is %s seconds', (text, seconds) => {
  expect(toSeconds(text)).toBe(seconds);
});

test.each([
  ['local', null, false],
  ['spark-standalone', null, true],
  ['spark-standalone', 'spark://a:7077', false],
  ['spark-standalone', 'spark://a:7077,b.example:7078', false],
  ['spark-standalone', 'http://a:8080', true],
  ['spark-standalone', 'spark://a', true],
  ['spark-standalone', 'spark://a:70000', true],
])('backend %s with master %s: a problem %s', (backend, master, isProblem) => {
  expect(checkMaster(backend, master).length > 0).toBe(isProblem);
});
