/** The Pod of one host. It holds no secret: what the host must know lies in its folder on the claim. */
import path from 'node:path';
import type { V1OwnerReference, V1Pod, V1ResourceRequirements } from '@kubernetes/client-node';
import type { ClusterAssignment } from '../../ports.ts';
import { hostContainer } from './pod-state.ts';

/** Where Pods of hosts go, and what they are made of. */
export interface PodPlace {
  readonly namespace: string;
  /** Of the same release as this worker, under the same paths: deploy/Containerfile. */
  readonly image: string;
  /** The claim that holds the state folder, and where that is on this side. */
  readonly claim: { readonly name: string; readonly root: string };
  readonly serviceAccount: string;
  /** A headless Service: it gives each host a name that executors reach it by. */
  readonly subdomain: string;
  readonly owner: V1OwnerReference | null;
  /** Whose the files on the claim are: the worker's own user. */
  readonly userId: number;
  readonly groupId: number;
  /** After so long any Pod ends, whatever runs on it. Null: never. */
  readonly lifetimeSecondsMax: number | null;
}

export interface PodSource {
  readonly name: string;
  /** Of this start alone. */
  readonly start: string;
  readonly workerId: string;
  readonly cluster: ClusterAssignment;
  readonly hostFolder: string;
  readonly dataRoot: string;
  readonly python: string;
}

const prefix = 'headrace.io';
export const labels = {
  workerId: `${prefix}/worker-id`,
  hostKey: `${prefix}/host-key`,
  clusterId: `${prefix}/cluster-id`,
  runId: `${prefix}/run-id`,
  ownerId: `${prefix}/owner-id`,
  start: `${prefix}/start`,
} as const;

/** Of the host itself; Spark's driver and its block manager have the next two. */
export const hostPort = 7078;
export const addressVariable = 'HEADRACE_POD_IP';
/** Of a cluster whose node type says nothing: enough for plain Python and a small driver. */
const sizeDefault = { cores: 1, memoryMb: 4096 };
/** From SIGTERM on; a host that is told to shut down needs less. */
const graceSeconds = 30;

/** Reads the environment from a file, so that the values of secrets do not stand in the Pod's document. */
const command = [
  '. "$0/environment"',
  `exec "$1" -s -m headrace_runtime.host --folder "$0" --listen "$${addressVariable}:${hostPort}"`,
].join('; ');

export function makePod(source: PodSource, place: PodPlace): V1Pod {
  const { name, hostFolder, dataRoot, python } = source;
  const noPrivileges = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: place.namespace,
      labels: labelsOf(source),
      annotations: {
        [`${prefix}/cluster-name`]: source.cluster.clusterName,
        // What moves Pods about to save nodes would end the tasks on it.
        'cluster-autoscaler.kubernetes.io/safe-to-evict': 'false',
      },
      ...(place.owner && { ownerReferences: [place.owner] }),
    },
    spec: {
      restartPolicy: 'Never',
      hostname: name,
      subdomain: place.subdomain,
      serviceAccountName: place.serviceAccount,
      // Only a driver that starts executors has to talk to the API.
      automountServiceAccountToken: source.cluster.executors !== undefined,
      enableServiceLinks: false,
      terminationGracePeriodSeconds: graceSeconds,
      ...(place.lifetimeSecondsMax !== null && { activeDeadlineSeconds: place.lifetimeSecondsMax }),
      securityContext: securityOf(place),
      containers: [
        {
          name: hostContainer,
          image: place.image,
          command: ['/bin/sh', '-c', command, hostFolder, python],
          workingDir: hostFolder,
          // Else the last lines of its output: why it did not start.
          terminationMessagePolicy: 'FallbackToLogsOnError',
          env: [{ name: addressVariable, valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } }],
          ports: [
            { name: 'host', containerPort: hostPort },
            { name: 'driver', containerPort: hostPort + 1 },
            { name: 'blocks', containerPort: hostPort + 2 },
          ],
          resources: resourcesOf(source.cluster),
          volumeMounts: [
            mountOf(place, dataRoot),
            mountOf(place, hostFolder),
            { name: 'scratch', mountPath: '/tmp' },
          ],
          securityContext: noPrivileges,
        },
      ],
      volumes: [
        { name: 'state', persistentVolumeClaim: { claimName: place.claim.name } },
        { name: 'scratch', emptyDir: {} },
      ],
    },
  };
}

/** The user of the files; no root, no more rights than it begins with. */
export function securityOf({ userId, groupId }: PodPlace) {
  return {
    runAsNonRoot: true,
    runAsUser: userId,
    runAsGroup: groupId,
    fsGroup: groupId,
    // A claim of many files is not walked through at each start.
    fsGroupChangePolicy: 'OnRootMismatch',
    seccompProfile: { type: 'RuntimeDefault' },
  };
}

/** A folder of the claim under the path that it has here: tables keep absolute paths. Not the whole claim, which has keys. */
export function mountOf({ claim }: Pick<PodPlace, 'claim'>, folder: string) {
  return { name: 'state', mountPath: folder, subPath: path.relative(claim.root, folder) };
}

/** All of a worker's hosts. */
export function selectorOf(workerId: string): string {
  return `app.kubernetes.io/name=headrace,app.kubernetes.io/component=host,${labels.workerId}=${toLabel(workerId)}`;
}

/** A name of the DNS, so of small letters, digits and dashes, and of this start alone. */
export function podNameOf(hostKey: string, start: string): string {
  const readable = hostKey.toLowerCase().replaceAll(/[^a-z0-9-]+/g, '-');
  return `headrace-${readable.slice(0, 40)}-${start}`;
}

function labelsOf({ workerId, start, cluster }: PodSource): Record<string, string> {
  const runId = /^job-(\d+)-/.exec(cluster.clusterId)?.[1];
  return {
    'app.kubernetes.io/name': 'headrace',
    'app.kubernetes.io/component': 'host',
    [labels.workerId]: toLabel(workerId),
    [labels.hostKey]: toLabel(cluster.hostKey),
    [labels.clusterId]: toLabel(cluster.clusterId),
    [labels.start]: start,
    ...(runId !== undefined && { [labels.runId]: runId }),
    ...(cluster.ownerId !== undefined && { [labels.ownerId]: String(cluster.ownerId) }),
  };
}

/** 63 characters at most, and it begins and ends with a letter or a digit. */
export function toLabel(text: string): string {
  return text
    .replaceAll(/[^A-Za-z0-9._-]+/g, '_')
    .slice(0, 63)
    .replaceAll(/^[^A-Za-z0-9]+|[^A-Za-z0-9]+$/g, '');
}

function resourcesOf({ driver }: ClusterAssignment): V1ResourceRequirements {
  const { cores, memoryMb } = driver ?? sizeDefault;
  // Memory is a promise as well as a limit: a node that runs short evicts who has more than it asked for.
  const memory = `${memoryMb}Mi`;
  return { requests: { cpu: String(cores), memory }, limits: { memory } };
}
