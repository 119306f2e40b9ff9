import { expect, test } from 'vitest';
import { aCluster } from '../../testing/memory-source.ts';
import { makePod, type PodPlace, podNameOf, toLabel } from './pod-manifest.ts';

const owner = { apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'headrace', uid: 'u' };
const place: PodPlace = {
  ...{ namespace: 'jobs', image: 'headrace:1', serviceAccount: 'headrace-host', subdomain: 'hosts' },
  ...{ claim: { name: 'c', root: '/state' }, owner, userId: 10_001, groupId: 10_001 },
  lifetimeSecondsMax: 3_600,
};
const source = {
  ...{ name: 'headrace-k-1', start: '1', workerId: 'w', hostFolder: '/state/pods/headrace-k-1' },
  ...{ dataRoot: '/state/data', python: '/opt/python' },
};
const make = (cluster = aCluster()) => makePod({ ...source, cluster }, place);

test('a Pod has no more rights than it needs, and does not start anew', () => {
  const { spec } = make();

  expect(spec).toMatchObject({
    restartPolicy: 'Never',
    automountServiceAccountToken: false,
    securityContext: { runAsNonRoot: true, runAsUser: 10_001, seccompProfile: { type: 'RuntimeDefault' } },
    containers: [{ securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } } }],
  });
});

test('only a driver that starts executors gets a token for the API', () => {
  const executors = { min: 1, max: 1, node: null };

  expect(make(aCluster({ executors })).spec?.automountServiceAccountToken).toBe(true);
});

test('it sees its own folder and the data, and nothing else of the claim', () => {
  const mounts = make().spec?.containers[0]?.volumeMounts?.filter(({ name }) => name === 'state');

  expect(mounts).toEqual([
    { name: 'state', mountPath: '/state/data', subPath: 'data' },
    { name: 'state', mountPath: '/state/pods/headrace-k-1', subPath: 'pods/headrace-k-1' },
  ]);
});

test('it goes with its owner, and after its time', () => {
  const { metadata, spec } = make();

  expect(metadata?.ownerReferences).toEqual([owner]);
  expect(spec?.activeDeadlineSeconds).toBe(3_600);
});

test('its document holds neither conf nor environment of the cluster: they may be secrets', () => {
  const cluster = aCluster({ sparkConf: { 'spark.key': 'hunter2' }, environment: { KEY: 'hunter2' } });

  expect(JSON.stringify(make(cluster))).not.toContain('hunter2');
});

test('names and labels are such as the API takes', () => {
  expect(podNameOf('pool_X.y'.padEnd(80, 'z'), 'ab12cd34')).toMatch(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])$/);
  expect(toLabel('Jörg’s cluster (the big one)!')).toMatch(/^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/);
  expect(toLabel('x'.repeat(100))).toHaveLength(63);
});
