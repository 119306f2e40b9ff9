/** Spark's own names, read from the jar that is installed: a setting that it does not know has no effect. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { writeHostFolder } from '../../../packages/worker/src/hosts/kubernetes/host-folder.ts';
import { sparkConfOnPods } from '../../../packages/worker/src/hosts/kubernetes/spark-on-pods.ts';
import { aCluster } from '../../../packages/worker/src/testing/memory-source.ts';

const repository = path.resolve(import.meta.dirname, '../../..');
const runtimeFile = path.join(repository, '.runtime/runtime.json');
const place = {
  ...{ namespace: 'headrace', image: 'headrace:test', serviceAccount: 'a', subdomain: 'headrace-hosts' },
  ...{ claim: { name: 'c', root: '/state' }, owner: null, userId: 10_001, groupId: 10_001 },
  ...{ lifetimeSecondsMax: null, podName: 'headrace-k-1', hostFolder: '/state/pods/headrace-k-1' },
};
const node = { cores: 4, memoryMb: 16_384 };

/** Every text in the classes of Spark's Kubernetes support. */
function wordsOfSpark(): string {
  const { sparkHome, python } = JSON.parse(fs.readFileSync(runtimeFile, 'utf8')) as Record<string, string>;
  const jars = path.join(sparkHome ?? '', 'jars');
  const jar = fs.readdirSync(jars).find((name) => name.startsWith('spark-kubernetes_')) ?? '';
  const script =
    'import sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); sys.stdout.buffer.write(b"".join(z.read(n) for n in z.namelist()))';
  const { stdout } = spawnSync(python ?? '', ['-c', script, path.join(jars, jar)], {
    maxBuffer: 64 * 1024 * 1024,
  });
  return stdout.toString('latin1');
}

test('Spark knows every setting and every word that an executor is started with', () => {
  const words = wordsOfSpark();
  const { driver: conf } = sparkConfOnPods(aCluster({ executors: { min: 1, max: 3, node } }), place);
  const settings = Object.keys(conf).filter((name) => name.startsWith('spark.kubernetes.'));
  const script = fs.readFileSync(path.join(repository, 'deploy/kubernetes/executor.sh'), 'utf8');
  // Not comments, and not the option of Java that is left out.
  const own = script.replaceAll(/^\s*#.*$|--add-modules/gm, '');
  const started = [...own.matchAll(/--[a-zA-Z-]+|SPARK_[A-Z_]+|org\.[\w.]+/g)].map(([word]) => word);

  expect(settings.length).toBeGreaterThan(5);
  expect(settings.filter((name) => !words.includes(name))).toEqual([]);
  expect(started.length).toBeGreaterThan(10);
  expect(started.filter((word) => !words.includes(word.replaceAll('.', '/')))).toEqual([]);
});

test('a cluster without workers has all of Spark in its driver', () => {
  const conf = sparkConfOnPods(aCluster({ sparkConf: { 'spark.master': 'local[4]' }, driver: node }), place);

  expect(conf).toEqual({
    shared: { 'spark.local.dir': '/tmp/spark-local', 'spark.master': 'local[4]' },
    driver: { 'spark.driver.memory': '8192m' },
  });
});

test('one with workers gets an executor for each, of the size of its node type', () => {
  const { driver, shared } = sparkConfOnPods(
    aCluster({
      sparkConf: { 'spark.master': 'local[2]', 'spark.x': 'y' },
      executors: { min: 2, max: 2, node },
    }),
    place,
  );

  // A task with a Spark of its own beside the cluster's: no port, no executors of the other.
  expect(shared).toEqual({
    'spark.local.dir': '/tmp/spark-local',
    'spark.master': 'local[2]',
    'spark.x': 'y',
  });
  expect(driver).toMatchObject({
    'spark.master': 'k8s://https://kubernetes.default.svc',
    'spark.driver.host': 'headrace-k-1.headrace-hosts.headrace.svc',
    'spark.executor.instances': '2',
    'spark.executor.cores': '4',
    'spark.executor.memory': '8192m',
    'spark.authenticate': 'true',
    'spark.x': 'y',
  });
});

test('one that scales asks for as many as there is work for, and a master of its own is left alone', () => {
  const executors = { min: 1, max: 8, node: null };

  expect(sparkConfOnPods(aCluster({ executors }), place).driver).toMatchObject({
    'spark.dynamicAllocation.enabled': 'true',
    'spark.dynamicAllocation.maxExecutors': '8',
  });
  const own = { 'spark.master': 'spark://elsewhere:7077' };
  expect(sparkConfOnPods(aCluster({ executors, sparkConf: own }), place)).toEqual({
    shared: { 'spark.local.dir': '/tmp/spark-local', ...own },
    driver: {},
  });
});

test('a host is told which part of its conf is its driver’s alone', () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'conf-'));
  onTestFinished(() => fs.rmSync(folder, { recursive: true, force: true }));
  const cluster = aCluster({ executors: { min: 1, max: 1, node } });
  const record = {
    ...{ name: 'p', start: '1', namespace: 'n', server: 's', uid: null, hostKey: 'k', clusterId: 'c' },
    setup: { sparkConf: {}, poolId: null },
  };
  const runtime = { dataRoot: '/state/data', pythonPath: '/p', spark: null, preimport: [], warmUp: true };

  writeHostFolder(folder, { record, cluster, sparkConf: sparkConfOnPods(cluster, place) }, runtime);

  const text = fs.readFileSync(path.join(folder, 'host/config.json'), 'utf8');
  const { spark_conf, spark_place } = JSON.parse(text) as Record<string, Record<string, unknown>>;
  expect(Object.keys(spark_conf ?? {}).filter((name) => /port|kubernetes/.test(name))).toEqual([]);
  expect(spark_place).toMatchObject({ conf: { 'spark.driver.port': '7079' }, watch: null });
});
