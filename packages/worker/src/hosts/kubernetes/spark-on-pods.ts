/**
 * Spark of a host in a Pod: its driver in client mode, its executors as Pods beside it. Settings and their meaning:
 * https://spark.apache.org/docs/4.0.0/running-on-kubernetes.html
 */
import fs from 'node:fs';
import path from 'node:path';
import type { ClusterAssignment } from '../../ports.ts';
import { hostPort, labels, mountOf, type PodPlace, securityOf, toLabel } from './pod-manifest.ts';

export interface DriverPlace extends PodPlace {
  readonly podName: string;
  readonly hostFolder: string;
}

const templateFile = 'executor-pod.json';
const containerName = 'executor';
/** Of a node's memory; the rest is Python, and what Java needs beside its heap. */
const heapShare = 0.5;
const executorDefault = { cores: 1, memoryMb: 4096 };

/** As `config.json` has it. */
export interface PodSparkConf {
  /** Of every JVM of the host, so of tasks that bring a Spark of their own as well: two drivers cannot have one port. */
  readonly shared: Readonly<Record<string, string>>;
  /** On top of it, of the cluster's driver alone. */
  readonly driver: Readonly<Record<string, string>>;
}

/** The conf of the cluster with what its place asks for. What the cluster sets itself counts, but for the local master. */
export function sparkConfOnPods(cluster: ClusterAssignment, place: DriverPlace): PodSparkConf {
  const { executors, driver, sparkConf } = cluster;
  const heap = driver && { 'spark.driver.memory': `${Math.floor(driver.memoryMb * heapShare)}m` };
  const { 'spark.master': master = 'local[2]', ...own } = sparkConf;
  // The folder is on the claim, and shuffles belong on a disk of the node.
  const shared = { 'spark.local.dir': '/tmp/spark-local', ...own, 'spark.master': master };
  if (executors === undefined || !master.startsWith('local[')) return { shared, driver: { ...heap, ...own } };
  return { shared, driver: { ...heap, ...confOfExecutors(executors, place), ...own, ...kubernetesMaster } };
}

const kubernetesMaster = { 'spark.master': 'k8s://https://kubernetes.default.svc' };

function confOfExecutors(
  executors: NonNullable<ClusterAssignment['executors']>,
  place: DriverPlace,
): Record<string, string> {
  const { cores, memoryMb } = executors.node ?? executorDefault;
  return {
    'spark.submit.deployMode': 'client',
    'spark.driver.host': `${place.podName}.${place.subdomain}.${place.namespace}.svc`,
    'spark.driver.bindAddress': '0.0.0.0',
    'spark.driver.port': String(hostPort + 1),
    'spark.driver.blockManager.port': String(hostPort + 2),
    // The port is open to the cluster's network: Spark makes a secret and gives it to its executors.
    'spark.authenticate': 'true',
    'spark.kubernetes.namespace': place.namespace,
    // Executors are its dependents: the cluster removes them after it.
    'spark.kubernetes.driver.pod.name': place.podName,
    'spark.kubernetes.container.image': place.image,
    'spark.kubernetes.executor.podNamePrefix': place.podName.slice(0, 47).replace(/-+$/, ''),
    'spark.kubernetes.executor.podTemplateFile': path.join(place.hostFolder, templateFile),
    'spark.kubernetes.executor.podTemplateContainerName': containerName,
    // Without these it needs rights to config maps, services and claims.
    'spark.kubernetes.executor.disableConfigMap': 'true',
    'spark.kubernetes.driver.service.deleteOnTermination': 'false',
    'spark.kubernetes.driver.ownPersistentVolumeClaim': 'false',
    'spark.kubernetes.driver.reusePersistentVolumeClaim': 'false',
    'spark.executor.cores': String(cores),
    'spark.executor.memory': `${Math.floor(memoryMb * heapShare)}m`,
    'spark.executor.memoryOverhead': `${memoryMb - Math.floor(memoryMb * heapShare)}m`,
    ...countOf(executors),
  };
}

function countOf({ min, max }: NonNullable<ClusterAssignment['executors']>): Record<string, string> {
  if (min === max) return { 'spark.executor.instances': String(max) };
  return {
    'spark.dynamicAllocation.enabled': 'true',
    // There is no shuffle service in a cluster of Pods.
    'spark.dynamicAllocation.shuffleTracking.enabled': 'true',
    'spark.dynamicAllocation.minExecutors': String(min),
    'spark.dynamicAllocation.initialExecutors': String(min),
    'spark.dynamicAllocation.maxExecutors': String(max),
  };
}

export interface ExecutorTemplateOptions {
  readonly place: PodPlace;
  readonly dataRoot: string;
  readonly pythonPath: string;
  readonly runtime: { readonly python: string; readonly spark: object | null };
}

/** Spark fills in name, image, resources and arguments. */
export function writeExecutorTemplate(
  folder: string,
  cluster: ClusterAssignment,
  options: ExecutorTemplateOptions,
): void {
  if (cluster.executors === undefined) return;
  const { place, dataRoot, pythonPath, runtime } = options;
  // Written by set-up: what a JVM of ours is started with.
  const { java, classPath, jvmOptions } = { java: 'java', classPath: [], jvmOptions: [], ...runtime.spark };
  const env = {
    HEADRACE_JAVA: java,
    HEADRACE_CLASS_PATH: [...classPath].join(':'),
    HEADRACE_JVM_OPTIONS: [...jvmOptions].join(' '),
    PYTHONPATH: pythonPath,
    PYSPARK_PYTHON: runtime.python,
  };
  const template = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      labels: {
        'app.kubernetes.io/name': 'headrace',
        'app.kubernetes.io/component': 'executor',
        [labels.clusterId]: toLabel(cluster.clusterId),
      },
    },
    spec: {
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      securityContext: securityOf(place),
      containers: [
        {
          name: containerName,
          command: ['/bin/sh', path.join(path.dirname(pythonPath), 'deploy/kubernetes/executor.sh')],
          env: Object.entries(env).map(([name, value]) => ({ name, value })),
          volumeMounts: [mountOf(place, dataRoot), { name: 'scratch', mountPath: '/tmp' }],
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
        },
      ],
      volumes: [
        { name: 'state', persistentVolumeClaim: { claimName: place.claim.name } },
        { name: 'scratch', emptyDir: {} },
      ],
    },
  };
  fs.writeFileSync(path.join(folder, templateFile), JSON.stringify(template), { mode: 0o600 });
}
