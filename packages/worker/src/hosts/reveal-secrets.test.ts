import { expect, test } from 'vitest';
import type { ClusterAssignment, SecretReference } from '../ports.ts';
import { createFakeBackend } from './fake/fake-backend.ts';
import { revealCluster, revealSecretsIn } from './reveal-secrets.ts';
import { HostStartError } from './start-errors.ts';

const cluster: ClusterAssignment = {
  clusterId: 'c',
  clusterName: 'c',
  hostKey: 'key',
  sparkConf: { 'a.password': '{{secrets/prod/password}}', plain: 'x' },
  environment: { PASSWORD: '{{ secrets/prod/password }}', TOKEN: '{{secrets/prod/token}}' },
  idleMs: null,
  principalId: 7,
};
const secrets: Readonly<Record<string, string>> = { 'prod/password': 'hunter2', 'prod/token': 'tök\nen' };
const read = (references: readonly SecretReference[]) =>
  Promise.resolve(references.map(({ scope, key }) => Buffer.from(secrets[`${scope}/${key}`] ?? '')));

test('references become values, each secret is read once, and all else stays', async () => {
  const asked: (readonly SecretReference[])[] = [];

  const revealed = await revealCluster(cluster, (references) => {
    asked.push(references);
    return read(references);
  });

  expect(revealed).toEqual({
    ...cluster,
    sparkConf: { 'a.password': 'hunter2', plain: 'x' },
    environment: { PASSWORD: 'hunter2', TOKEN: 'tök\nen' },
    secretValues: ['hunter2', 'tök\nen'],
  });
  expect(asked).toEqual([
    [
      { scope: 'prod', key: 'password' },
      { scope: 'prod', key: 'token' },
    ],
  ]);
});

test.each(['{{secrets/a}}', '{{secrets/a/b/c}}', 'x{{secrets/a/b}}', '{{secrets/a/b}} ', '{{job.id}}', ''])(
  '%j is no reference: nothing is read',
  async (text) => {
    const plain = { ...cluster, sparkConf: {}, environment: { X: text } };

    expect(await revealCluster(plain, () => Promise.reject(new Error('was read')))).toBe(plain);
  },
);

test.each([Buffer.from([255]), Buffer.from('a\0b')])(
  'what is no text stands in no environment',
  async (value) => {
    await expect(revealCluster(cluster, () => Promise.resolve([value, value]))).rejects.toThrow(
      'secret prod/password is no text',
    );
  },
);

test('a host that does not start tells why, without values', async () => {
  const backend = createFakeBackend({ clock: { nowMs: () => 0 } });
  const failing = {
    ...backend,
    start: () => Promise.reject(new HostStartError('INIT_SCRIPT_FAILURE', 'echo hunter2 ended with code 1')),
  };
  // Nothing but what is asked of it here.
  const source = {
    revealSecrets: (_worker: string, asked: { references: readonly SecretReference[] }) =>
      read(asked.references),
  } as never;

  const error = await revealSecretsIn(failing, { source, workerId: 'w' })
    .start(cluster)
    .catch((caught: unknown) => caught);

  expect(error).toBeInstanceOf(HostStartError);
  expect(error).toMatchObject({ code: 'INIT_SCRIPT_FAILURE', message: 'echo [REDACTED] ended with code 1' });
  expect(String((error as Error).stack)).not.toContain('hunter2');
});
