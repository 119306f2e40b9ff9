/**
 * A node that runs Pods as processes of this machine: their own command, environment and folders, an address of their own
 * on the loopback network, SIGTERM and SIGKILL as a kubelet sends them, and the statuses that it reports.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { V1ContainerState, V1Pod } from '@kubernetes/client-node';
import { killMarked } from '../../../packages/worker/src/hosts/local/processes.ts';
import { type FakeApi, nameOf } from './fake-api.ts';

/** What a node does with a Pod: runs it, or says why it does not. */
export type Fate =
  | { readonly kind: 'run' }
  | { readonly kind: 'waiting'; readonly reason: string; readonly message: string }
  | { readonly kind: 'unschedulable'; readonly message: string };

export interface FakeNode {
  fate: Fate;
  /** The process of a Pod's container. */
  pidOf(name: string): number;
  /** As the kernel does when the container has too much memory. */
  runOutOfMemory(name: string): void;
  /** From now on it says nothing; what runs goes on. */
  isLost: boolean;
  close(): Promise<void>;
}

interface Running {
  readonly child: ChildProcess;
  readonly folder: string;
  reason: string | undefined;
  readonly ended: Promise<void>;
}

export function createFakeNode(
  api: FakeApi,
  claim: { readonly name: string; readonly root: string },
): FakeNode {
  const running = new Map<string, Running>();
  const network = `127.${100 + (process.pid % 100)}.${1 + Math.floor(Math.random() * 250)}`;
  let addresses = 1;

  const report = (name: string, status: V1Pod['status']) => {
    if (node.isLost) return;
    api.change(name, (pod) => ({ ...pod, spec: withNode(pod), status: { ...pod.status, ...status } }));
  };
  const run = (pod: V1Pod) => {
    const name = nameOf(pod);
    const container = pod.spec?.containers[0];
    const problem = findMountProblem(pod, claim);
    if (container === undefined || problem !== null)
      return report(name, waiting('CreateContainerConfigError', problem ?? 'no container'));
    const address = `${network}.${++addresses}`;
    const [program = '', ...words] = container.command ?? [];
    const folder = container.workingDir ?? '/';
    // Its /tmp, which goes with the Pod.
    const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'pod-'));
    const child = spawn(program, words, {
      cwd: folder,
      detached: true,
      stdio: ['ignore', 'ignore', 'pipe'],
      ...userOf(pod),
      env: {
        PATH: process.env.PATH,
        HOME: process.env.HOME,
        TMPDIR: scratch,
        ...environmentOf(pod, address),
      },
    });
    let said = '';
    child.stderr?.on('data', (text: Buffer) => {
      said = `${said}${text}`.slice(-2048);
    });
    const { promise: ended, resolve } = Promise.withResolvers<void>();
    const entry: Running = { child, folder, reason: undefined, ended };
    running.set(name, entry);
    child.on('exit', async (code, signal) => {
      // The end of the first process is that of the container: its name space of processes goes with it.
      await killMarked(folder);
      fs.rmSync(scratch, { recursive: true, force: true });
      running.delete(name);
      const exitCode = code ?? 137;
      const reason = entry.reason ?? (exitCode === 0 ? 'Completed' : 'Error');
      const message = exitCode === 0 ? {} : { message: said };
      const state = { terminated: { exitCode, reason, ...message, ...(signal && { signal: 9 }) } };
      report(name, {
        phase: exitCode === 0 ? 'Succeeded' : 'Failed',
        containerStatuses: [statusOf(pod, state)],
      });
      const isDeleted = api.pods.get(name)?.metadata?.deletionTimestamp !== undefined;
      if (isDeleted && !node.isLost) api.remove(name);
      resolve();
    });
    report(name, {
      phase: 'Running',
      podIP: address,
      containerStatuses: [statusOf(pod, { running: { startedAt: new Date() } })],
    });
  };
  const node: FakeNode = {
    fate: { kind: 'run' },
    isLost: false,
    pidOf: (name) => running.get(name)?.child.pid ?? 0,
    runOutOfMemory(name) {
      const entry = running.get(name);
      if (entry === undefined) return;
      entry.reason = 'OOMKilled';
      entry.child.kill('SIGKILL');
    },
    async close() {
      const all = [...running.values()];
      for (const { child } of all) child.kill('SIGKILL');
      await Promise.all(all.map(({ ended }) => ended));
    },
  };
  api.node.created = (pod) => {
    const { fate } = node;
    if (fate.kind === 'run') return void setImmediate(run, pod);
    const told = fate.kind === 'waiting' ? waiting(fate.reason, fate.message) : unschedulable(fate.message);
    report(nameOf(pod), told);
  };
  api.node.deleted = (pod) => {
    const name = nameOf(pod);
    const entry = running.get(name);
    if (node.isLost) return;
    if (entry === undefined) return void setImmediate(() => api.remove(name));
    entry.child.kill('SIGTERM');
    // The grace of the request, one second.
    setTimeout(() => entry.child.kill('SIGKILL'), 1_000).unref();
  };
  return node;
}

/** Only root can be somebody else. */
function userOf({ spec }: V1Pod): { readonly uid?: number; readonly gid?: number } {
  const { runAsUser, runAsGroup } = spec?.securityContext ?? {};
  if (process.getuid?.() !== 0 || runAsUser === undefined) return {};
  return { uid: runAsUser, ...(runAsGroup !== undefined && { gid: runAsGroup }) };
}

function withNode(pod: V1Pod): NonNullable<V1Pod['spec']> {
  return { containers: [], ...pod.spec, nodeName: 'node-1' };
}

function statusOf(pod: V1Pod, state: V1ContainerState) {
  const { name = '', image = '' } = pod.spec?.containers[0] ?? {};
  return { name, image, imageID: '', ready: state.running !== undefined, restartCount: 0, state };
}

function waiting(reason: string, message: string): V1Pod['status'] {
  const state = { waiting: { reason, message } };
  const container = { name: 'host', image: '', imageID: '', ready: false, restartCount: 0, state };
  return { phase: 'Pending', containerStatuses: [container] };
}

function unschedulable(message: string): V1Pod['status'] {
  const condition = { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message };
  return { phase: 'Pending', conditions: [condition] };
}

function environmentOf(pod: V1Pod, address: string): Record<string, string> {
  const entries = (pod.spec?.containers[0]?.env ?? []).map(({ name, value, valueFrom }) => {
    const isAddress = valueFrom?.fieldRef?.fieldPath === 'status.podIP';
    return [name, isAddress ? address : (value ?? '')];
  });
  return Object.fromEntries(entries) as Record<string, string>;
}

/** Folders of the claim are on this machine already: a mount that shows another one under its path would not work. */
function findMountProblem(
  pod: V1Pod,
  claim: { readonly name: string; readonly root: string },
): string | null {
  const volumes = new Map(pod.spec?.volumes?.map((volume) => [volume.name, volume]));
  for (const { name, mountPath, subPath } of pod.spec?.containers[0]?.volumeMounts ?? []) {
    const volume = volumes.get(name);
    if (volume === undefined) return `volume ${name} is not there`;
    if (volume.emptyDir !== undefined) continue;
    if (volume.persistentVolumeClaim?.claimName !== claim.name) return `no claim for ${name}`;
    if (subPath === undefined || subPath.startsWith('..')) return `${mountPath} shows the whole claim`;
    if (path.join(claim.root, subPath) !== mountPath) return `${mountPath} is not ${subPath} of the claim`;
  }
  return null;
}
