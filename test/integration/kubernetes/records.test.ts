/** What the worker knows of its Pods, and what it does where it does not know enough. */
import fs from 'node:fs';
import path from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { expect, test } from 'vitest';
import { createPodApi } from '../../../packages/worker/src/hosts/kubernetes/pod-api.ts';
import { selectorOf } from '../../../packages/worker/src/hosts/kubernetes/pod-manifest.ts';
import { aCluster } from '../../../packages/worker/src/testing/memory-source.ts';
import { usePodBench } from './support.ts';

const bench = usePodBench();
const folderOf = (pod: string) => path.join(bench().folder, 'pods', pod);
const isBeingDeleted = (pod: string) => bench().api.pods.get(pod)?.metadata?.deletionTimestamp !== undefined;

/** A host that lives, and that nobody leads for now. */
async function leaveHost(): Promise<string> {
  const connection = await bench().makeBackend().start(aCluster());
  connection.close();
  return bench().onlyPod();
}

test('a record that cannot be read ends the start of the worker, and neither Pod nor folder', async () => {
  const pod = await leaveHost();
  fs.writeFileSync(path.join(folderOf(pod), 'pod.json'), '{"na');

  await expect(bench().makeBackend().attach()).rejects.toThrow(new RegExp(`${pod}/pod.json.*cannot be read`));

  expect(isBeingDeleted(pod)).toBe(false);
  expect(fs.existsSync(path.join(folderOf(pod), 'host', 'journal.jsonl'))).toBe(true);
});

test('a Pod without a folder is gone before any task is started', async () => {
  const pod = await leaveHost();
  fs.renameSync(folderOf(pod), path.join(bench().folder, 'taken-away'));

  expect(await bench().makeBackend().attach()).toEqual([]);

  expect([...bench().api.pods.keys()]).toEqual([]);
});

test('a Pod without a folder whose end nobody confirms is told by its name', async () => {
  const pod = await leaveHost();
  fs.renameSync(folderOf(pod), path.join(bench().folder, 'taken-away'));
  bench().node.isLost = true;

  const attached = bench().makeBackend({ strayWaitMs: 300 }).attach();

  await expect(attached).rejects.toThrow(new RegExp(`Pod ${pod} .* its end is not proven after 0.3 s`));
});

test('another namespace, which has no such Pod, is no proof of its death', async () => {
  const pod = await leaveHost();
  const api = createPodApi(bench().api.config, { namespace: 'elsewhere', selector: selectorOf('w') });

  await expect(bench().makeBackend({ api }).attach()).rejects.toThrow(
    `Pod ${pod} was started in namespace headrace, and Headrace is to look in namespace elsewhere`,
  );

  expect(isBeingDeleted(pod)).toBe(false);
});

test('another cluster, which has no such Pod, is no proof of its death', async () => {
  const pod = await leaveHost();
  const config = new KubeConfig();
  config.loadFromClusterAndUser(
    { name: 'other', server: 'https://other:6443', skipTLSVerify: false },
    { name: 'headrace' },
  );
  const api = createPodApi(config, { namespace: 'headrace', selector: selectorOf('w') });

  await expect(bench().makeBackend({ api }).attach()).rejects.toThrow(
    /was started by the cluster at http:.*to look in the one at https:\/\/other:6443/,
  );

  expect(isBeingDeleted(pod)).toBe(false);
});

test('a Pod of the same name and start is another one, when its uid is', async () => {
  const connection = await bench().makeBackend().start(aCluster());
  const pod = bench().onlyPod();

  bench().api.change(pod, (before) => ({ ...before, metadata: { ...before.metadata, uid: 'another' } }));

  expect((await connection.died).message).toContain(`Pod ${pod}`);
});

test('a Pod whose labels were changed is still the same one', async () => {
  const pod = await leaveHost();
  const [label, value] = ['headrace.io/start', 'forged'];
  bench().api.change(pod, ({ metadata, ...rest }) => ({
    ...rest,
    metadata: { ...metadata, labels: { ...metadata?.labels, [label]: value } },
  }));

  const found = await bench().makeBackend().attach();

  expect(found).toMatchObject([{ kind: 'alive' }]);
  for (const host of found) if (host.kind === 'alive') host.connection.close();
});

test('a start whose answer nobody noted is found by its name, and goes by its uid from then on', async () => {
  const pod = await leaveHost();
  const file = path.join(folderOf(pod), 'pod.json');
  const { uid, ...record } = JSON.parse(fs.readFileSync(file, 'utf8')) as { uid: string };
  fs.writeFileSync(file, JSON.stringify({ ...record, uid: null }));

  const found = await bench().makeBackend().attach();

  expect(found).toMatchObject([{ kind: 'alive' }]);
  expect(JSON.parse(fs.readFileSync(file, 'utf8'))).toMatchObject({ uid });
  for (const host of found) if (host.kind === 'alive') host.connection.close();
});
