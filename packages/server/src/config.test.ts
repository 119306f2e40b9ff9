import { expect, test } from 'vitest';
import { ConfigError, describeConfig, listSettings, readConfig, readStorageCredentials } from './config.ts';

test('without any variable every setting has its default', () => {
  expect(readConfig({})).toMatchObject({
    host: '127.0.0.1',
    port: 8080,
    databaseUrl: null,
    unknownIds: 'default',
  });
});

test('an empty variable counts as unset', () => {
  expect(readConfig({ HEADRACE_PORT: '', HEADRACE_BIND: '' })).toMatchObject({
    host: '127.0.0.1',
    port: 8080,
  });
});

test('all problems are told at once, by the variable', () => {
  const read = () =>
    readConfig({ HEADRACE_PORT: '70000', HEADRACE_SLOTS: 'many', HEADRACE_DATABASE_URL: 'mysql://x' });

  expect(read).toThrow(ConfigError);
  for (const name of ['HEADRACE_PORT', 'HEADRACE_SLOTS', 'HEADRACE_DATABASE_URL']) expect(read).toThrow(name);
});

test('a server may do less than everything beside others that share its PostgreSQL', () => {
  const shared = { HEADRACE_DATABASE_URL: 'postgres://u@db/x' };

  expect(readConfig({}).roles).toEqual(['api', 'scheduler', 'worker']);
  expect(readConfig({ ...shared, HEADRACE_ROLES: 'api, scheduler' }).roles).toEqual(['api', 'scheduler']);
  expect(() => readConfig({ HEADRACE_ROLES: 'api' })).toThrow('HEADRACE_DATABASE_URL');
  expect(() => readConfig({ ...shared, HEADRACE_ROLES: 'boss' })).toThrow('HEADRACE_ROLES');
});

test('executors need the address of the Spark master that they come from', () => {
  const read = (master: string) =>
    readConfig({ HEADRACE_BACKEND: 'spark-standalone', HEADRACE_SPARK_MASTER: master });

  expect(read('spark://spark.example:7077').sparkMaster).toBe('spark://spark.example:7077');
  expect(() => read('')).toThrow('needs it, like spark://spark.example:7077');
  expect(() => read('http://spark.example:8080')).toThrow('write it like spark://spark.example:7077');
});

test('what is printed holds no secret', () => {
  const config = readConfig({ HEADRACE_DATABASE_URL: 'postgres://u:hunter2@db/x' });

  expect(JSON.stringify(describeConfig(config))).not.toContain('hunter2');
  expect(describeConfig(config)).toMatchObject({ HEADRACE_DATABASE_URL: '(set, not shown)' });
});

test('there are at most 40 settings, each with a sentence', () => {
  expect(listSettings().length).toBeLessThanOrEqual(40);
  for (const { about } of listSettings()) expect(about).toMatch(/^[A-Z].+\.$/);
});

test('keys to the bucket come from the standard variables, both or neither', () => {
  expect(readStorageCredentials({})).toBeNull();
  expect(readStorageCredentials({ AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 's' })).toEqual({
    accessKeyId: 'id',
    secretAccessKey: 's',
  });
  expect(() => readStorageCredentials({ AWS_SECRET_ACCESS_KEY: 'hunter2' })).toThrow('both or neither');
});

test('a bucket’s URL with keys in it is refused without being quoted', () => {
  const read = () => readConfig({ HEADRACE_BLOB_URL: 's3://id:hunter2@bucket/x' });

  expect(read).toThrow('HEADRACE_BLOB_URL: must hold no keys');
  expect(read).not.toThrow('hunter2');
});

test('labels of the own worker are read as a worker on its own reads them', () => {
  expect(readConfig({ HEADRACE_WORKER_LABELS: 'zone=a, gpu=yes' }).workerLabels).toEqual({
    zone: 'a',
    gpu: 'yes',
  });
  expect(readConfig({}).workerLabels).toEqual({});
  expect(() => readConfig({ HEADRACE_WORKER_LABELS: 'gpu,a b=c' })).toThrow(
    'HEADRACE_WORKER_LABELS: gpu is no label; write a=b,c=d, a b=c is no label; write a=b,c=d',
  );
});

test('Pods need a claim, an image and an address that they reach, and all that is missing is told', () => {
  const some = { HEADRACE_BACKEND: 'kubernetes', HEADRACE_HOST_IMAGE: 'headrace' };

  expect(() => readConfig(some)).toThrow(/needs HEADRACE_KUBERNETES.*; HEADRACE_PUBLIC_URL/);
  expect(() => readConfig({ ...some, HEADRACE_KUBERNETES: 'namespace=x' })).toThrow('claim=… is missing');
  const all = {
    ...some,
    HEADRACE_KUBERNETES: 'claim=c',
    HEADRACE_PUBLIC_URL: 'http://headrace.headrace.svc:8080',
  };
  expect(readConfig(all).kubernetes).toMatchObject({ claim: 'c' });
});
