// A server in memory, good enough to deploy to: files, folders, jobs, and a switch that breaks any request.

import { ApiError, type JobSettings } from '@headrace/api';
import type { BundleClient } from '../deploy/bundle-client.ts';
import { deploymentRoutes } from './fake-deployments.ts';

export interface FakeWorkspace {
  readonly client: BundleClient;
  readonly files: Map<string, Buffer>;
  readonly folders: Set<string>;
  readonly jobs: Map<number, JobSettings>;
  /** Every changing request, as `jobsCreate daily`. */
  readonly calls: string[];
  /** Fails the n-th changing request from now: before it does anything, or after it did all but answer. */
  breakAt(call: number, when: 'before' | 'after'): void;
}

type Change = <T>(name: string, work: () => T) => Promise<T>;

export function aFakeWorkspace(): FakeWorkspace {
  const files = new Map<string, Buffer>();
  const folders = new Set<string>();
  const jobs = new Map<number, JobSettings>();
  const calls: string[] = [];
  let fault: { call: number; when: 'before' | 'after' } | null = null;

  const change: Change = async (name, work) => {
    calls.push(name);
    const due = fault !== null && fault.call-- === 0 ? fault.when : null;
    if (due === 'before') throw new Error(`broken before ${name}`);
    const answer = work();
    if (due === 'after') throw new Error(`broken after ${name}`);
    return answer;
  };
  let nextId = 1000;
  const newJobId = () => ++nextId;
  const client = {
    ...jobRoutes(jobs, change, newJobId),
    ...workspaceRoutes({ files, folders }, change),
    ...deploymentRoutes({ files, jobs, newJobId, storeJob: stored }, change),
  };
  return {
    // The requests are those of the contract, the answers a part of it.
    client: client as unknown as BundleClient,
    files,
    folders,
    jobs,
    calls,
    breakAt: (call, when) => {
      fault = { call, when };
    },
  };
}

function jobRoutes(jobs: Map<number, JobSettings>, change: Change, newJobId: () => number) {
  return {
    jobsCreate: (settings: object) =>
      change(`jobsCreate ${(settings as JobSettings).name}`, () => {
        const id = newJobId();
        jobs.set(id, stored(settings));
        return { job_id: id };
      }),
    jobsReset: ({ job_id, new_settings }: { job_id: number; new_settings: object }) =>
      change(`jobsReset ${job_id}`, () => {
        if (!jobs.has(job_id)) throw missing(`Job ${job_id}`);
        jobs.set(job_id, stored(new_settings));
        return {};
      }),
    jobsDelete: ({ job_id }: { job_id: number }) =>
      change(`jobsDelete ${job_id}`, () => {
        if (!jobs.delete(job_id)) throw missing(`Job ${job_id}`);
        return {};
      }),
    jobsGet: async ({ job_id }: { job_id: number }) => {
      const settings = jobs.get(job_id);
      if (settings !== undefined) return { job_id, created_time: 0, settings: structuredClone(settings) };
      throw new ApiError('INVALID_PARAMETER_VALUE', `Job ${job_id} does not exist.`);
    },
    jobsList: async ({ name }: { name?: string }) => ({
      jobs: [...jobs]
        .filter(([, job]) => job.name === name)
        .map(([job_id, settings]) => ({ job_id, created_time: 0, settings })),
      has_more: false,
    }),
  };
}

/** As a server does: what it fills in must be no difference. */
function stored(settings: object): JobSettings {
  const filled = {
    format: 'MULTI_TASK',
    max_concurrent_runs: 1,
    timeout_seconds: 0,
    email_notifications: {},
  };
  return { ...filled, ...structuredClone(settings) } as JobSettings; // the caller sends settings
}

function missing(what: string): ApiError {
  return new ApiError('RESOURCE_DOES_NOT_EXIST', `${what} does not exist`);
}

interface Store {
  readonly files: Map<string, Buffer>;
  readonly folders: Set<string>;
}

function workspaceRoutes({ files, folders }: Store, change: Change) {
  return {
    workspaceImport: ({ path, content }: { path: string; content?: string }) =>
      change(`workspaceImport ${path}`, () => {
        if (!folders.has(path.slice(0, path.lastIndexOf('/')))) throw missing(`the folder of ${path}`);
        files.set(path, Buffer.from(content ?? '', 'base64'));
        return {};
      }),
    workspaceExport: async ({ path }: { path: string }) => {
      const bytes = files.get(path);
      if (bytes === undefined) throw missing(path);
      return { content: bytes.toString('base64') };
    },
    workspaceMkdirs: async ({ path }: { path: string }) => {
      folders.add(path);
      return {};
    },
    workspaceDelete: ({ path, recursive }: { path: string; recursive?: boolean }) =>
      change(`workspaceDelete ${path}`, () => {
        const below = [...files.keys(), ...folders].filter(
          (file) => file === path || (recursive === true && file.startsWith(`${path}/`)),
        );
        if (below.length === 0) throw missing(path);
        for (const file of below) {
          files.delete(file);
          folders.delete(file);
        }
        return {};
      }),
  };
}
