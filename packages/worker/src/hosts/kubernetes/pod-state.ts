/**
 * What a Pod's document proves of the host in it. Only two things are proof of death: a phase of Succeeded or Failed, which
 * its node reports when nothing of it runs any more, and an object that is gone, which a node confirms before the API
 * forgets it. Time proves nothing, and neither does a node that is silent.
 *
 *   phase       also                          means
 *   Pending     waiting to be placed, pulled  it starts; some reasons never pass
 *   Running     address                       it lives, also while it is being deleted
 *   Unknown     –                             its node is silent: nothing is known
 *   Succeeded   –                             dead: it ended by itself
 *   Failed      reason, exit code             dead, and why
 *   (no object) –                             dead: deleted, and its node has confirmed that
 */
import type { V1ContainerStatus, V1Pod } from '@kubernetes/client-node';
import type { HostFailureCode } from '../start-errors.ts';

export type PodState =
  | { readonly kind: 'pending'; readonly reason: PendingReason }
  | { readonly kind: 'running'; readonly address: string }
  | { readonly kind: 'unknown'; readonly message: string }
  | { readonly kind: 'dead'; readonly message: string };

export interface PendingReason {
  readonly message: string;
  readonly code: HostFailureCode;
  /** Not passing: it is of no use to wait. `slow`: it seldom passes, so it gets a moment. */
  readonly outlook: 'good' | 'slow' | 'none';
}

/** Of the container that a host runs in. */
export const hostContainer = 'host';

export function readPodState(pod: V1Pod): PodState {
  const { phase, podIP } = pod.status ?? {};
  if (phase === 'Succeeded' || phase === 'Failed') return { kind: 'dead', message: explainEnd(pod) };
  if (phase === 'Unknown') return { kind: 'unknown', message: explainSilence(pod) };
  if (phase === 'Running' && podIP) return { kind: 'running', address: podIP };
  return { kind: 'pending', reason: explainPending(pod) };
}

/** For people, of a Pod that is gone. */
export function explainGone(name: string, last: V1Pod | null): string {
  const nodeName = last?.spec?.nodeName;
  const why = last?.status?.message ?? last?.status?.reason;
  const place = nodeName === undefined ? '' : ` on node ${nodeName}`;
  return `the host’s Pod ${name}${place} was deleted${why === undefined ? '' : ` (${why})`}`;
}

/** Null while its node is heard of. */
export function explainLostNode(pod: V1Pod): string | null {
  const lost = (pod.status?.conditions ?? []).find(
    ({ type, reason }) =>
      (type === 'DisruptionTarget' && reason === 'DeletionByTaintManager') ||
      (type === 'Ready' && reason === 'NodeLost'),
  );
  return lost === undefined && pod.status?.reason !== 'NodeLost' ? null : explainSilence(pod);
}

function explainSilence({ metadata, spec }: V1Pod): string {
  return `node ${spec?.nodeName ?? '(unknown)'} of Pod ${metadata?.name} is not heard of: its tasks wait until the node is back, or is removed from the cluster (kubectl delete node), for nothing else proves that they have ended`;
}

function explainEnd(pod: V1Pod): string {
  const { reason, message } = pod.status ?? {};
  const name = `the host’s Pod ${pod.metadata?.name}`;
  const node = pod.spec?.nodeName ?? 'its node';
  const terminated = hostStatusOf(pod)?.state?.terminated;
  if (terminated?.reason === 'OOMKilled') {
    const limit = pod.spec?.containers[0]?.resources?.limits?.memory ?? 'its limit';
    return `${name} ran out of memory (OOMKilled, limit ${limit}): choose a node type with more memory, or run fewer tasks at once`;
  }
  if (reason === 'Evicted') return `${name} was evicted by ${node}: ${message ?? 'the node ran short'}`;
  if (reason === 'DeadlineExceeded') return `${name} was ended: it had run for as long as hosts may`;
  if (reason === 'Preempted' || reason === 'Preempting')
    return `${name} had to make room on ${node} for one of higher priority`;
  if (reason === 'NodeLost') return `${name} was lost with ${node}`;
  if (reason === 'Terminated' || reason === 'NodeShutdown' || reason === 'Shutdown')
    return `${name} was ended because ${node} shut down`;
  if (reason !== undefined && terminated === undefined)
    return `${name} was refused by ${node}: ${reason}${message === undefined ? '' : `, ${message}`}`;
  if (terminated === undefined) return `${name} ended${message === undefined ? '' : `: ${message}`}`;
  const { exitCode, signal, message: lastLines } = terminated;
  const how = signal === undefined || signal === 0 ? `with code ${exitCode}` : `by signal ${signal}`;
  const said = lastLines?.trim().split('\n').slice(-3).join(' | ');
  return `${name} ended ${how}${said ? `: ${said}` : ''}`;
}

/** As the kubelet names them; each of them stays until somebody mends what it says. */
const hopeless = [
  'InvalidImageName',
  'ErrImageNeverPull',
  'CreateContainerConfigError',
  'CreateContainerError',
  'RunContainerError',
];

function explainPending(pod: V1Pod): PendingReason {
  const image = pod.spec?.containers[0]?.image ?? 'its image';
  const waiting = hostStatusOf(pod)?.state?.waiting;
  const detail = waiting?.message ? `: ${waiting.message}` : '';
  if (waiting?.reason === 'ImagePullBackOff' || waiting?.reason === 'ErrImagePull') {
    const message = `image ${image} cannot be pulled (${waiting.reason})${detail}; HEADRACE_HOST_IMAGE names it`;
    return { message, code: 'IMAGE_FAILURE', outlook: 'slow' };
  }
  if (waiting?.reason !== undefined && hopeless.includes(waiting.reason)) {
    const isImage = waiting.reason.includes('Image');
    const message = `its container cannot be made (${waiting.reason})${detail}`;
    return { message, code: isImage ? 'IMAGE_FAILURE' : 'START_FAILURE', outlook: 'none' };
  }
  const placed = pod.status?.conditions?.find(({ type }) => type === 'PodScheduled');
  if (placed?.status === 'False') {
    const message = `no node has room for it (${placed.reason ?? 'Unschedulable'})${placed.message ? `: ${placed.message}` : ''}`;
    return { message, code: 'NO_CAPACITY', outlook: 'good' };
  }
  const stage =
    waiting?.reason ?? (pod.spec?.nodeName === undefined ? 'not placed on a node yet' : 'starting');
  return { message: `its Pod is ${stage}${detail}`, code: 'START_FAILURE', outlook: 'good' };
}

function hostStatusOf(pod: V1Pod): V1ContainerStatus | undefined {
  return pod.status?.containerStatuses?.find(({ name }) => name === hostContainer);
}
