/** What this machine can check of deploy/kubernetes: shapes, names and rights. No cluster was at hand. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import type { V1PolicyRule } from '@kubernetes/client-node';
import { expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { parseKubernetesPlace } from '../../../packages/server/src/compute/kubernetes-settings.ts';
import { listSettings } from '../../../packages/server/src/config.ts';
import { hostPort } from '../../../packages/worker/src/hosts/kubernetes/pod-manifest.ts';
import { findShapeProblems } from './shapes.ts';

const repository = path.resolve(import.meta.dirname, '../../..');
const folder = path.join(repository, 'deploy/kubernetes');
const read = (name: string) => fs.readFileSync(path.join(folder, name), 'utf8');

interface Document {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly rules?: readonly V1PolicyRule[];
}

const files = fs
  .readdirSync(folder)
  .filter((name) => name.endsWith('.yaml') && name !== 'kustomization.yaml');
const documents = files.flatMap((name) => parseAllDocuments(read(name)).map((one) => one.toJS() as Document));
const rulesOf = (name: string) =>
  documents.find(({ kind, metadata }) => kind === 'Role' && metadata.name === name)?.rules ?? [];

test.each(files)('%s fits the API’s own schema', (name) => {
  for (const document of parseAllDocuments(read(name))) {
    expect(document.errors).toEqual([]);
    const value = document.toJS() as Document;
    expect(findShapeProblems(value, `V1${value.kind}`)).toEqual([]);
  }
});

test('a field that the API does not know is found', () => {
  expect(findShapeProblems({ kind: 'Pod', spec: { containers: [{ nam: 'x' }] } }, 'V1Pod')).toEqual([
    'spec.containers[0].nam is unknown',
  ]);
});

test('everything but the example of a secret is applied', () => {
  const { resources } = parse(read('kustomization.yaml')) as { resources: string[] };

  expect([...resources].sort()).toEqual(files.filter((name) => name !== 'secret.example.yaml').sort());
});

/** The calls of the generated client and the verbs that they need. */
const verbs: Readonly<Record<string, string>> = {
  createNamespaced: 'create',
  readNamespaced: 'get',
  listNamespaced: 'list',
  deleteNamespaced: 'delete',
};

test('the server’s role has the verbs that its client uses, and no other', () => {
  const source = fs.readFileSync(
    path.join(repository, 'packages/worker/src/hosts/kubernetes/pod-api.ts'),
    'utf8',
  );
  const calls = [...source.matchAll(/\.(\w+Namespaced)(\w+)\(/g)].map(
    ([, call = '', resource = '']) => `${verbs[call]} ${resource.toLowerCase()}s`,
  );
  const used = [...calls, ...(source.includes('new Watch(') ? ['watch pods'] : [])];

  const granted = rulesOf('headrace').flatMap(({ resources = [], verbs: allowed }) =>
    resources.flatMap((resource) => allowed.map((verb) => `${verb} ${resource}`)),
  );
  expect(new Set(granted)).toEqual(new Set(used));
  expect(used).toHaveLength(6);
});

test('no rule has a wildcard, and no role reads secrets or runs commands in Pods', () => {
  const rules = documents.flatMap(({ rules: own = [] }) => own);

  expect(rules.length).toBeGreaterThan(0);
  for (const { apiGroups = [], resources = [], verbs: allowed } of rules) {
    expect([...apiGroups, ...resources, ...allowed].join()).not.toMatch(/\*|secrets|exec|roles/);
  }
  expect(documents.map(({ kind }) => kind)).not.toContain('ClusterRole');
});

test('the server is told what the manifests are called', () => {
  const text = read('headrace.yaml');
  const place = parseKubernetesPlace(/value: (claim=\S+)/.exec(text)?.[1] ?? '');
  const names = documents.map(({ kind, metadata }) => `${kind} ${metadata.name}`);

  if (typeof place === 'string') throw new Error(place);
  expect(names).toContain(`PersistentVolumeClaim ${place.claim}`);
  expect(names).toContain(`ServiceAccount ${place.serviceAccount}`);
  expect(names).toContain(`Service ${place.hostsService}`);
  expect(names).toContain(`StatefulSet ${place.owner}`);
  const known = listSettings().map(({ env }) => env);
  const named = [...text.matchAll(/name: (HEADRACE_[A-Z_]+)/g)].map(([, name]) => name);
  expect(named.filter((name) => !known.includes(name ?? ''))).toEqual([]);
  expect(new Set([...text.matchAll(/\S+\/headrace:\S+/g)].map(([image]) => image)).size).toBe(1);
  for (const port of [hostPort, hostPort + 1, hostPort + 2]) {
    expect(read('services.yaml')).toContain(`port: ${port}`);
    expect(read('network.yaml')).toContain(`port: ${port}`);
  }
});

test('no manifest holds a secret', () => {
  for (const name of files)
    expect(read(name)).not.toMatch(/password:|\btoken:|postgres:\/\/\w+:(?!REPLACE-ME)/i);
});

test('an executor is started with what Spark gives it', () => {
  const environment = {
    ...{ PATH: process.env.PATH, HEADRACE_JAVA: 'echo', HEADRACE_CLASS_PATH: '/jars/*' },
    ...{ HEADRACE_JVM_OPTIONS: '-Xshare:auto', SPARK_JAVA_OPT_0: '-Da=b c', SPARK_JAVA_OPT_2: '-Dd=e' },
    SPARK_JAVA_OPT_1: '--add-modules=jdk.incubator.vector',
    ...{ SPARK_EXECUTOR_MEMORY: '512m', SPARK_EXECUTOR_CORES: '2', SPARK_EXECUTOR_ID: '1' },
    ...{ SPARK_DRIVER_URL: 'spark://d', SPARK_APPLICATION_ID: 'app', SPARK_EXECUTOR_POD_IP: '10.0.0.1' },
    ...{ SPARK_RESOURCE_PROFILE_ID: '0', SPARK_EXECUTOR_POD_NAME: 'pod' },
  };
  const script = path.join(folder, 'executor.sh');

  const { stdout, status } = spawnSync('/bin/sh', [script, 'executor'], {
    env: environment,
    encoding: 'utf8',
  });

  expect(status).toBe(0);
  expect(stdout).toContain('-Xshare:auto -Da=b c -Dd=e -Xms512m -Xmx512m');
  expect(stdout).toContain(
    '--driver-url spark://d --executor-id 1 --cores 2 --app-id app --hostname 10.0.0.1',
  );
  expect(spawnSync('/bin/sh', [script, 'driver']).status).toBe(2);
});
