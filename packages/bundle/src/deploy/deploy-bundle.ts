// Applies a plan. Every step is recorded in the workspace before the next one begins, and every step may be repeated:
// a deployment that dies half-way is completed by the next one.

import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { type DeploymentState, STATE_FILE } from '../plan/deployment-state.ts';
import { fillResourceIds, metadataPath, type Plan, type PlannedAction } from '../plan/plan-bundle.ts';
import { type BundleClient, forEachBounded, isAbsent } from './bundle-client.ts';
import { readJob } from './read-deployment.ts';

/** Files sent between two records of the state: a crash sends at most so many again. */
const FILES_PER_RECORD = 100;
const LIST_PAGES_MAX = 50;

export type DeployStep =
  | { readonly kind: 'uploading'; readonly libraries: number; readonly files: number }
  | {
      readonly kind: 'created' | 'updated' | 'deleted';
      readonly resource: string;
      readonly name: string;
      readonly id: number;
    }
  | { readonly kind: 'removed'; readonly files: number };

export interface DeployOptions {
  readonly onStep?: (step: DeployStep) => void;
}

export async function deployBundle(
  plan: Plan,
  client: BundleClient,
  options: DeployOptions = {},
): Promise<DeploymentState> {
  const deployment = new Deployment(plan, client, options.onStep ?? (() => undefined));
  if (plan.hasChanges) await deployment.apply();
  return deployment.state;
}

class Deployment {
  state: DeploymentState;
  private readonly plan: Plan;
  private readonly client: BundleClient;
  private readonly onStep: (step: DeployStep) => void;
  private readonly folders = new Map<string, Promise<unknown>>();

  constructor(plan: Plan, client: BundleClient, onStep: (step: DeployStep) => void) {
    this.plan = plan;
    this.client = client;
    this.onStep = onStep;
    this.state = structuredClone(plan.state);
  }

  async apply(): Promise<void> {
    const { upload, actions } = this.plan;
    await this.makeFolder(this.plan.prepared.bundle.workspace.statePath);
    if (upload.libraries.length + upload.files.length > 0) {
      this.onStep({ kind: 'uploading', libraries: upload.libraries.length, files: upload.files.length });
    }
    await this.uploadLibraries();
    await this.uploadFiles();
    // What jobs use is there before they change, and goes only after they have changed.
    for (const action of actions) await this.applyAction(action);
    await this.removeFiles();
  }

  private async uploadLibraries(): Promise<void> {
    const { libraries } = this.plan.upload;
    await forEachBounded(libraries, async (library) => {
      if (library.bytes === null) return;
      await this.importFile({ path: library.remote_path, bytes: library.bytes, format: 'AUTO' });
    });
    const { artifacts } = this.plan.prepared;
    this.state = {
      ...this.state,
      uploads: [...new Set([...this.state.uploads, ...libraries.map((library) => library.remote_path)])],
      artifacts: Object.fromEntries(
        artifacts.map(({ name, sourceHash, wheels }) => [
          name,
          { source_hash: sourceHash, wheels: wheels.map(({ bytes: _, ...wheel }) => wheel) },
        ]),
      ),
    };
    if (libraries.length > 0) await this.record();
  }

  private async uploadFiles(): Promise<void> {
    const { files } = this.plan.upload;
    const { folder } = this.plan.prepared.bundle;
    for (let start = 0; start < files.length; start += FILES_PER_RECORD) {
      const batch = files.slice(start, start + FILES_PER_RECORD);
      await forEachBounded(batch, async ({ local, remotePath }) => {
        const bytes = await readFile(path.join(folder, local.path));
        const { notebook } = local;
        await this.importFile({
          path: remotePath,
          bytes,
          format: notebook?.format ?? 'AUTO',
          ...(notebook === null ? {} : { language: notebook.language }),
        });
      });
      const sent = batch.map(
        ({ local, remotePath, hash }) => [local.path, { hash, remote_path: remotePath }] as const,
      );
      this.state = { ...this.state, files: { ...this.state.files, ...Object.fromEntries(sent) } };
      await this.record();
    }
  }

  private async applyAction(action: PlannedAction): Promise<void> {
    switch (action.kind) {
      case 'unchanged':
        return;
      case 'create': {
        const settings = fillResourceIds(action.settings, this.state);
        const adopted = await this.findCreated(action);
        if (adopted !== null) await this.client.jobsReset({ job_id: adopted, new_settings: settings });
        const id = adopted ?? (await this.client.jobsCreate(settings)).job_id;
        await this.recordResource(action, id);
        this.onStep({ kind: 'created', resource: action.resource, name: action.name, id });
        return;
      }
      case 'update':
        await this.client.jobsReset({
          job_id: action.id,
          new_settings: fillResourceIds(action.settings, this.state),
        });
        await this.recordResource(action, action.id);
        this.onStep({ kind: 'updated', resource: action.resource, name: action.name, id: action.id });
        return;
      case 'delete': {
        await ignoreAbsent(this.client.jobsDelete({ job_id: action.id }));
        const { [action.resource]: _, ...resources } = this.state.resources;
        this.state = { ...this.state, resources };
        await this.record();
        this.onStep({ kind: 'deleted', resource: action.resource, name: action.name, id: action.id });
        return;
      }
    }
  }

  /** A job that an earlier, interrupted deployment created without living to record it: it carries our tag. */
  private async findCreated(action: PlannedAction & { kind: 'create' }): Promise<number | null> {
    const recorded = new Set(Object.values(this.state.resources).map(({ id }) => id));
    let pageToken = '';
    for (let page = 0; page < LIST_PAGES_MAX; page += 1) {
      const list = await this.client.jobsList({
        name: action.name,
        limit: 100,
        ...(pageToken === '' ? {} : { page_token: pageToken }),
      });
      for (const job of list.jobs ?? []) {
        if (!recorded.has(job.job_id) && (await this.isOurs(job.job_id, action))) return job.job_id;
      }
      pageToken = list.next_page_token ?? '';
      if (pageToken === '') break;
    }
    return null;
  }

  private async isOurs(id: number, action: PlannedAction): Promise<boolean> {
    const settings = await readJob(id, this.client);
    const deployment = settings?.deployment as Record<string, unknown> | undefined; // as the contract types it
    return (
      deployment?.metadata_file_path === metadataPath(this.plan.prepared.bundle) &&
      deployment.resource === action.resource
    );
  }

  private async recordResource(action: PlannedAction, id: number): Promise<void> {
    this.state = {
      ...this.state,
      resources: { ...this.state.resources, [action.resource]: { id, name: action.name } },
    };
    await this.record();
  }

  private async removeFiles(): Promise<void> {
    const { remove } = this.plan;
    if (remove.length === 0) return;
    await forEachBounded(remove, (remote) => ignoreAbsent(this.client.workspaceDelete({ path: remote })));
    const gone = new Set(remove);
    this.state = {
      ...this.state,
      files: Object.fromEntries(
        Object.entries(this.state.files).filter(([, file]) => !gone.has(file.remote_path)),
      ),
      uploads: this.state.uploads.filter((remote) => !gone.has(remote)),
    };
    await this.record();
    this.onStep({ kind: 'removed', files: remove.length });
  }

  private async record(): Promise<void> {
    const bytes = Buffer.from(`${JSON.stringify(this.state, null, 2)}\n`);
    await this.importFile({
      path: `${this.plan.prepared.bundle.workspace.statePath}/${STATE_FILE}`,
      bytes,
      format: 'AUTO',
    });
  }

  private async importFile(file: {
    path: string;
    bytes: Uint8Array;
    format: 'AUTO' | 'SOURCE' | 'JUPYTER';
    language?: 'PYTHON' | 'SQL' | 'SCALA' | 'R';
  }): Promise<void> {
    const { bytes, ...rest } = file;
    await this.makeFolder(path.posix.dirname(file.path));
    await this.client.workspaceImport({
      ...rest,
      overwrite: true,
      content: Buffer.from(bytes).toString('base64'),
    });
  }

  private makeFolder(folder: string): Promise<unknown> {
    const known = this.folders.get(folder) ?? this.client.workspaceMkdirs({ path: folder });
    this.folders.set(folder, known);
    return known;
  }
}

async function ignoreAbsent(request: Promise<unknown>): Promise<void> {
  try {
    await request;
  } catch (error) {
    if (!isAbsent(error)) throw error;
  }
}
