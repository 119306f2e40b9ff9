import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { createPodApi } from '../../../packages/worker/src/hosts/kubernetes/pod-api.ts';
import { aCluster } from '../../../packages/worker/src/testing/memory-source.ts';
import type { Trouble } from './fake-api.ts';
import { usePodBench } from './support.ts';

const bench = usePodBench();
const soon = { pendingMsMax: 400, slowMsMax: 200, greetMsMax: 60_000 };
const start = (times = soon) => bench().makeBackend({ times }).start(aCluster());
const forbidden = (message: string): Trouble['answer'] => ({ code: 403, reason: 'Forbidden', message });

test('a host that starts greets, and ends when it is told to', async () => {
  const backend = bench().makeBackend();

  const connection = await backend.start(aCluster());

  expect(connection.hello).toMatchObject({ op: 'hello', attempts: [] });
  await backend.stop(connection, { graceMs: 1_000 });
  await expect.poll(() => bench().api.pods.size).toBe(0);
  expect(fs.readdirSync(path.join(bench().folder, 'pods'))).toEqual([]);
});

test.each([
  ['an answer that gets lost', { method: 'POST', answer: 'lost' }],
  ['a connection that breaks', { method: 'POST', answer: 'reset' }],
  ['a list that breaks', { method: 'GET', answer: 'reset' }],
  [
    'an API that is busy',
    {
      method: 'POST',
      answer: {
        ...{ code: 429, reason: 'TooManyRequests', message: 'slow down' },
        headers: { 'retry-after': '1' },
      },
    },
  ],
  [
    'a watch that is refused',
    { method: 'WATCH', answer: { code: 500, reason: 'InternalError', message: 'etcd' } },
  ],
] as const)('%s keeps no host from starting, and makes no second Pod', async (_name, trouble) => {
  bench().api.troubles.push({ ...trouble, times: 1 });
  const backend = bench().makeBackend();

  const connection = await backend.start(aCluster());

  expect(bench().api.pods.size).toBe(1);
  expect(bench().api.troubles[0]?.times).toBe(0);
  await backend.stop(connection, { graceMs: 1_000 });
});

test('an image that cannot be pulled is told by its name', async () => {
  const message = 'Back-off pulling image "headrace:test"';
  bench().node.fate = { kind: 'waiting', reason: 'ImagePullBackOff', message };

  await expect(start()).rejects.toMatchObject({
    code: 'IMAGE_FAILURE',
    message: expect.stringContaining('image headrace:test cannot be pulled (ImagePullBackOff)'),
  });
});

test('a Pod that no node has room for is given up in time, and the scheduler’s words are told', async () => {
  bench().node.fate = { kind: 'unschedulable', message: '0/3 nodes are available: 3 Insufficient cpu.' };

  await expect(start()).rejects.toMatchObject({
    code: 'NO_CAPACITY',
    message: expect.stringMatching(/did not start within 0\.4 s: no node has room .*3 Insufficient cpu/),
  });
});

test('what a Pod waits for is told while it waits', async () => {
  bench().node.fate = { kind: 'unschedulable', message: '3 Insufficient cpu.' };
  await bench().startWorker(bench().makeBackend({ times: { ...soon, pendingMsMax: 3_000 } }));

  bench().source.offer(bench().aTask('print("never")'));

  await expect
    .poll(() => bench().source.hostReports)
    .toContainEqual(
      expect.objectContaining({
        state: 'starting',
        message: expect.stringContaining('3 Insufficient cpu.'),
      }),
    );
});

test.each([
  [
    'exceeded quota: compute, requested: requests.memory=4Gi, used: requests.memory=30Gi',
    /the quota of namespace headrace is used up: .*requested: requests.memory=4Gi/,
  ],
  [
    'pods is forbidden: User "system:serviceaccount:headrace:headrace" cannot create resource "pods"',
    /may not create pods in namespace headrace: give its role the verb “create” on “pods”/,
  ],
  ['violates PodSecurity "restricted:latest": runAsNonRoot', /Pod security rules of namespace headrace/],
])('a cluster that forbids it says why: %s', async (message, told) => {
  bench().api.troubles.push({ method: 'POST', answer: forbidden(message), times: 1 });

  await expect(start()).rejects.toThrow(told);
});

test('a token that is not known is told as such', async () => {
  const answer = { code: 401, reason: 'Unauthorized', message: 'Unauthorized' };
  bench().api.troubles.push({ method: 'POST', answer, times: 1 });

  await expect(start()).rejects.toThrow(/does not know who asks \(401 .*service account/);
});

test('a start that fails leaves neither Pod nor folder', async () => {
  bench().node.fate = { kind: 'waiting', reason: 'InvalidImageName', message: 'couldn’t parse it' };

  await expect(start()).rejects.toThrow(/InvalidImageName/);

  expect(bench().api.pods.size).toBe(0);
  expect(fs.readdirSync(path.join(bench().folder, 'pods'))).toEqual([]);
});

test('an init script that fails is told with its last lines', async () => {
  const script = path.join(bench().folder, 'set-up.sh');
  fs.writeFileSync(script, '#!/bin/sh\necho no such package\nexit 3\n');
  const initScripts = { paths: [`file:${script}`], logFolder: 'dbfs:/logs', timeoutMs: 10_000 };

  await expect(bench().makeBackend().start(aCluster({ initScripts }))).rejects.toMatchObject({
    code: 'INIT_SCRIPT_FAILURE',
    message: expect.stringContaining('no such package'),
  });
});

test('a host that is not wanted any more while it waits goes with its Pod', async () => {
  bench().node.fate = { kind: 'unschedulable', message: 'later' };
  const abort = new AbortController();
  const starting = bench().makeBackend().start(aCluster(), { signal: abort.signal });
  await expect.poll(() => bench().api.pods.size).toBe(1);

  abort.abort(new Error('the cluster was terminated'));

  await expect(starting).rejects.toThrow('the cluster was terminated');
  expect(bench().api.pods.size).toBe(0);
});

test('hosts are owned by the StatefulSet, which neither counts nor replaces them', async () => {
  const api = createPodApi(bench().api.config, { namespace: 'headrace', selector: 'a=b' });

  expect(await api.readOwner('headrace')).toEqual({
    ...{ apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'headrace', uid: 'uid-of-the-set' },
    ...{ controller: false, blockOwnerDeletion: false },
  });
});

test('a path that nobody serves is no proof that a Pod is gone', async () => {
  const { config } = bench().api;
  const api = createPodApi(config, { namespace: 'elsewhere', selector: 'a=b', patienceMs: 100 });

  await expect(api.read('p')).rejects.toThrow(/refuses to get pods in namespace elsewhere \(404\)/);
  await expect(
    createPodApi(config, { namespace: 'headrace', selector: 'a=b' }).read('p'),
  ).resolves.toBeNull();
});
