import type { V1Pod, V1PodStatus } from '@kubernetes/client-node';
import { expect, test } from 'vitest';
import { explainGone, explainLostNode, readPodState } from './pod-state.ts';

function aPod(status: V1PodStatus): V1Pod {
  const resources = { limits: { memory: '8192Mi' } };
  return {
    metadata: { name: 'p' },
    spec: { nodeName: 'node-1', containers: [{ name: 'host', image: 'headrace:1', resources }] },
    status,
  };
}

const container = (state: object) => ({
  containerStatuses: [{ name: 'host', image: '', imageID: '', ready: false, restartCount: 0, state }],
});
const terminated = (how: object) => container({ terminated: { exitCode: 137, ...how } });
const waiting = (reason: string) => container({ waiting: { reason, message: 'why' } });

test.each<[string, V1PodStatus]>([
  ['a phase that has not begun', { phase: 'Pending' }],
  ['a phase that runs', { phase: 'Running', podIP: '10.0.0.1' }],
  ['a phase that nobody knows', { phase: 'Unknown' }],
  ['a node that is lost', { phase: 'Running', reason: 'NodeLost', podIP: '10.0.0.1' }],
  [
    'a container that has ended, while its Pod runs on',
    { phase: 'Running', podIP: '10.0.0.1', ...terminated({ reason: 'Error' }) },
  ],
  ['no status at all', {}],
])('%s is no proof of death', (_name, status) => {
  expect(readPodState(aPod(status)).kind).not.toBe('dead');
});

test.each<[V1PodStatus, string]>([
  [{ phase: 'Succeeded', ...terminated({ exitCode: 0 }) }, 'the host’s Pod p ended with code 0'],
  [
    { phase: 'Failed', ...terminated({ exitCode: 1, message: 'a\nImportError: no pyspark\n' }) },
    'ended with code 1: a | ImportError: no pyspark',
  ],
  [{ phase: 'Failed', ...terminated({ signal: 9 }) }, 'ended by signal 9'],
  [
    { phase: 'Failed', ...terminated({ reason: 'OOMKilled' }) },
    'ran out of memory (OOMKilled, limit 8192Mi)',
  ],
  [
    { phase: 'Failed', reason: 'Evicted', message: 'The node was low on resource: memory.' },
    'was evicted by node-1: The node was low on resource: memory.',
  ],
  [{ phase: 'Failed', reason: 'DeadlineExceeded' }, 'it had run for as long as hosts may'],
  [{ phase: 'Failed', reason: 'Terminated' }, 'because node-1 shut down'],
  [{ phase: 'Failed', reason: 'Preempting' }, 'had to make room on node-1'],
  [{ phase: 'Failed', reason: 'OutOfcpu', message: 'no cpu' }, 'was refused by node-1: OutOfcpu, no cpu'],
  [{ phase: 'Failed', reason: 'NodeLost' }, 'was lost with node-1'],
])('%j is proof of death, and says why', (status, told) => {
  const state = readPodState(aPod(status));

  expect(state.kind).toBe('dead');
  expect(state).toMatchObject({ message: expect.stringContaining(told) });
});

test.each([
  ['ImagePullBackOff', 'IMAGE_FAILURE', 'slow'],
  ['ErrImagePull', 'IMAGE_FAILURE', 'slow'],
  ['InvalidImageName', 'IMAGE_FAILURE', 'none'],
  ['CreateContainerConfigError', 'START_FAILURE', 'none'],
  ['ContainerCreating', 'START_FAILURE', 'good'],
])('a container that waits for %s', (reason, code, outlook) => {
  const status = { phase: 'Pending', ...waiting(reason) };

  expect(readPodState(aPod(status))).toMatchObject({ kind: 'pending', reason: { code, outlook } });
});

test('a node that is silent is told with what would prove the end', () => {
  const disruption = { type: 'DisruptionTarget', status: 'True', reason: 'DeletionByTaintManager' };
  const lost = aPod({ phase: 'Running', podIP: '10.0.0.1', conditions: [disruption] });

  expect(explainLostNode(lost)).toMatch(/node node-1 of Pod p is not heard of: its tasks wait/);
  expect(explainLostNode(aPod({ phase: 'Running' }))).toBeNull();
});

test('a Pod that is gone is told with the last that was known of it', () => {
  expect(explainGone('p', null)).toBe('the host’s Pod p was deleted');
  expect(explainGone('p', aPod({ message: 'node-1 was removed' }))).toBe(
    'the host’s Pod p on node node-1 was deleted (node-1 was removed)',
  );
});
