/** Code of tasks can write into the folder of its host; nothing that it lays there leads the server anywhere else. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import type { HostBackend } from '../../../packages/worker/src/hosts/host-backend.ts';
import { aCluster } from '../../../packages/worker/src/testing/memory-source.ts';
import { usePodBench } from './support.ts';

const bench = usePodBench();

/** A host of the key `k` that has died, and the folder that its tasks could write to. */
async function aDeadHost(
  leave: (hostFolder: string) => void,
): Promise<{ readonly backend: HostBackend; readonly attempts: readonly unknown[] }> {
  const backend = bench().makeBackend();
  const connection = await backend.start(aCluster());
  const pod = bench().onlyPod();
  leave(path.join(bench().folder, 'pods', pod, 'host'));
  process.kill(bench().node.pidOf(pod), 'SIGKILL');
  const { attempts } = await connection.died;
  return { backend, attempts };
}

test('what a Pod can write to holds no record of ours, and not the key that we go by', async () => {
  const connection = await bench().makeBackend().start(aCluster());
  const pod = bench().api.pods.get(bench().onlyPod());
  const folder = path.join(bench().folder, 'pods', bench().onlyPod());

  const mounts = pod?.spec?.containers[0]?.volumeMounts ?? [];
  const shown = mounts.filter(({ name }) => name === 'state').map(({ mountPath }) => mountPath);
  expect(shown).toContain(path.join(folder, 'host'));
  for (const ours of ['pod.json', 'worker-key.pem']) {
    expect(fs.existsSync(path.join(folder, ours))).toBe(true);
    expect(shown.filter((mount) => path.join(folder, ours).startsWith(`${mount}/`))).toEqual([]);
  }
  connection.close();
});

test('a journal that became a link to a file of ours is not read', async () => {
  const secret = path.join(bench().folder, 'elsewhere');
  const line = { kind: 'intended', attempt_id: 7, epoch: 1 };
  fs.writeFileSync(secret, `${JSON.stringify(line)}\n`);

  const { backend, attempts } = await aDeadHost((hostFolder) => {
    fs.rmSync(path.join(hostFolder, 'journal.jsonl'));
    fs.symlinkSync(secret, path.join(hostFolder, 'journal.jsonl'));
  });

  expect(attempts).toEqual([]);
  const next = await backend.start(aCluster());
  expect(next.hello.attempts).toEqual([]);
  expect(fs.readFileSync(secret, 'utf8')).toBe(`${JSON.stringify(line)}\n`);
  next.close();
});

test('a journal that became a pipe keeps nobody waiting', async () => {
  const { backend, attempts } = await aDeadHost((hostFolder) => {
    const journal = path.join(hostFolder, 'journal.jsonl');
    fs.rmSync(journal);
    spawnSync('mkfifo', [journal]);
  });

  expect(attempts).toEqual([]);
  expect(await backend.attach()).toEqual([]);
});

test('links below a host’s folder are removed, and what they lead to is not', async () => {
  const ours = path.join(bench().folder, 'ours');
  fs.mkdirSync(ours);
  fs.writeFileSync(path.join(ours, 'kept'), '');

  await aDeadHost((hostFolder) => fs.symlinkSync(ours, path.join(hostFolder, 'link')));

  await expect.poll(() => fs.readdirSync(path.join(bench().folder, 'pods'))).toEqual([]);
  expect(fs.readdirSync(ours)).toEqual(['kept']);
});
