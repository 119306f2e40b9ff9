// The routes of deployments in memory: a lock, contents, and commits that put all in place at once.

import { createHash } from 'node:crypto';
import {
  ApiError,
  type BundleFile,
  type BundleRecord,
  type BundleResource,
  type JobSettings,
} from '@headrace/api';

interface Parts {
  readonly files: Map<string, Buffer>;
  readonly jobs: Map<number, JobSettings>;
  readonly newJobId: () => number;
  readonly storeJob: (settings: object) => JobSettings;
}

type Change = <T>(name: string, work: () => T) => Promise<T>;

interface SentResource {
  readonly kind: string;
  readonly key: string;
  readonly id?: string;
  readonly name: string;
  readonly document: Record<string, unknown>;
  readonly action?: string;
}

interface Commit {
  readonly fence: number;
  readonly request_id: string;
  readonly expected_version: number;
  readonly resources: readonly SentResource[];
  readonly delete_jobs?: readonly number[];
  readonly files: readonly BundleFile[];
  readonly notes: Record<string, unknown>;
  readonly pending: Record<string, unknown>;
  readonly message?: string;
}

interface Row {
  current: number;
  fence: number;
  isHeld: boolean;
  pending: Record<string, unknown>;
}

export function deploymentRoutes(parts: Parts, change: Change) {
  const fake = new FakeDeployment(parts);
  return {
    bundlesGet: async () => fake.show(),
    bundlesLock: ({ force }: { force?: boolean }) => change('bundlesLock', () => fake.lock(force ?? false)),
    bundlesRenewLock: ({ fence, pending }: { fence: number; pending?: Record<string, unknown> }) =>
      change('bundlesRenewLock', () => fake.renew(fence, pending)),
    bundlesUnlock: async ({ fence }: { fence: number }) => fake.unlock(fence),
    bundlesFindMissing: async ({ hashes }: { hashes: readonly string[] }) => ({
      missing: hashes.filter((hash) => !fake.contents.has(hash)),
    }),
    bundlesPutContents: (request: { fence: number; contents: { hash: string; content: string }[] }) =>
      change('bundlesPutContents', () => fake.put(request.fence, request.contents)),
    bundlesCommit: (commit: Commit) => change('bundlesCommit', () => fake.commit(commit)),
    bundlesListVersions: async () => ({ versions: [...fake.versions.values()].toReversed() }),
    bundlesGetVersion: async ({ version }: { version: number }) =>
      structuredClone(fake.versions.get(version)),
    bundlesDestroy: ({ fence, folders }: { fence: number; folders: readonly string[] }) =>
      change('bundlesDestroy', () => fake.destroy(fence, folders)),
  };
}

class FakeDeployment {
  readonly contents = new Map<string, Buffer>();
  readonly versions = new Map<number, BundleRecord & { request_id: string }>();
  private readonly parts: Parts;
  private row: Row | null = null;

  constructor(parts: Parts) {
    this.parts = parts;
  }

  show() {
    if (this.row === null) throw new ApiError('RESOURCE_DOES_NOT_EXIST', 'nothing is deployed');
    const { current, pending } = this.row;
    const place = { deployment_id: 1, state_path: '/state', target: 'dev', bundle: 'shop' };
    const record = structuredClone(this.versions.get(current));
    return { ...place, current_version: current, pending, ...(record ? { current: record } : {}) };
  }

  lock(force: boolean) {
    this.row ??= { current: 0, fence: 0, isHeld: false, pending: {} };
    if (this.row.isHeld && !force) throw new ApiError('RESOURCE_CONFLICT', 'is locked by jane');
    this.row.fence += 1;
    this.row.isHeld = true;
    const { fence, current } = this.row;
    return { deployment_id: 1, fence, current_version: current, silence_ms_max: 30_000 };
  }

  renew(fence: number, pending: Record<string, unknown> | undefined) {
    const row = this.requireHeld(fence);
    if (pending !== undefined) row.pending = structuredClone(pending);
    return {};
  }

  unlock(fence: number) {
    if (this.row?.fence === fence) this.row.isHeld = false;
    return {};
  }

  put(fence: number, contents: readonly { hash: string; content: string }[]) {
    this.requireHeld(fence);
    for (const { hash, content } of contents) {
      const bytes = Buffer.from(content, 'base64');
      if (createHash('sha256').update(bytes).digest('hex') !== hash) throw new Error(`not ${hash}`);
      this.contents.set(hash, bytes);
    }
    return {};
  }

  commit(commit: Commit) {
    const done = [...this.versions.values()].find(({ request_id }) => request_id === commit.request_id);
    if (done) return toAnswer(done);
    const row = this.requireHeld(commit.fence);
    if (row.current !== commit.expected_version) throw new ApiError('RESOURCE_CONFLICT', 'plan again');
    const removed = this.placeFiles(commit);
    const count = (action: string) => commit.resources.filter((each) => each.action === action).length;
    const resources = this.saveJobs(commit);
    const deletedJobs = (commit.delete_jobs ?? []).filter((id) => this.parts.jobs.delete(id));
    row.current += 1;
    row.pending = structuredClone(commit.pending);
    const record = {
      ...(commit.message === undefined ? {} : { message: commit.message }),
      ...{ version: row.current, created_at: 0, created_by: 'jane', is_current: true },
      ...{
        request_id: commit.request_id,
        deletedJobs,
        resources,
        files: [...commit.files],
        notes: commit.notes,
      },
      changes: {
        ...{ created: count('create'), updated: count('update'), deleted: deletedJobs.length },
        ...{ files_put: commit.files.length, files_removed: removed },
      },
    };
    this.versions.set(row.current, structuredClone(record));
    return toAnswer(record);
  }

  destroy(fence: number, folders: readonly string[]) {
    this.requireHeld(fence);
    const { files } = this.parts;
    const isIn = (folder: string) => [...files.keys()].filter((file) => file.startsWith(`${folder}/`));
    const gone = folders.filter((folder) => isIn(folder).length > 0);
    for (const file of gone.flatMap(isIn)) files.delete(file);
    this.versions.clear();
    this.contents.clear();
    this.row = null;
    return { deleted_jobs: [], deleted_folders: gone };
  }

  private requireHeld(fence: number): Row {
    if (!this.row?.isHeld || this.row.fence !== fence)
      throw new ApiError('RESOURCE_CONFLICT', 'the lock was taken over');
    return this.row;
  }

  private placeFiles({ files: wanted }: Commit): number {
    const { files } = this.parts;
    const before = this.versions.get(this.row?.current ?? 0)?.files ?? [];
    for (const { path } of before) files.delete(path);
    for (const { path, hash } of wanted) {
      const bytes = this.contents.get(hash);
      if (bytes === undefined) throw new ApiError('INVALID_PARAMETER_VALUE', `no content for ${path}`);
      files.set(path, bytes);
    }
    return before.filter(({ path }) => !wanted.some((file) => file.path === path)).length;
  }

  private saveJobs(commit: Commit): BundleResource[] {
    const named = commit.resources.map((each) => ({ ...each, id: each.id ?? String(this.parts.newJobId()) }));
    const ids = new Map(named.map(({ kind, key, id }) => [`\${resources.${kind}.${key}.id}`, id]));
    return named.map(({ action, ...resource }) => {
      const document = JSON.parse(JSON.stringify(resource.document), (field, value) =>
        field === 'job_id' && ids.has(value) ? Number(ids.get(value)) : (ids.get(value) ?? value),
      );
      if (resource.kind === 'jobs' && (action === 'create' || action === 'update'))
        this.parts.jobs.set(Number(resource.id), this.parts.storeJob(document));
      return { ...resource, document };
    });
  }
}

function toAnswer({ version, resources, changes, deletedJobs }: BundleRecord) {
  const jobs = resources.filter(({ kind }) => kind === 'jobs');
  return {
    ...{ version, changes, deleted_jobs: deletedJobs as number[] },
    job_ids: Object.fromEntries(jobs.map(({ key, id }) => [`jobs.${key}`, Number(id)])),
  };
}
