// Applies a plan. Every step is recorded in the workspace before the next one begins, and every step may be repeated:
// a deployment that dies half-way is completed by the next one.

import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { applyAction } from '../plan/apply-action.ts';
import { type DeploymentState, STATE_FILE } from '../plan/deployment-state.ts';
import { isAbsent } from '../plan/kinds/is-absent.ts';
import { toArtifactRecords, toRecord } from '../plan/next-state.ts';
import { idsOf } from '../plan/plan-bundle.ts';
import type { Plan, PlannedAction } from '../plan/planned-action.ts';
import { type BundleClient, forEachBounded } from './bundle-client.ts';

/** Files sent between two records of the state: a crash sends at most so many again. */
const FILES_PER_RECORD = 100;

export type DeployStep =
  | { readonly kind: 'uploading'; readonly libraries: number; readonly files: number }
  | {
      readonly kind: 'created' | 'updated' | 'recreated' | 'deleted';
      readonly resource: string;
      readonly name: string;
      readonly id: string;
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
    this.state = { ...this.state, serial: this.state.serial + 1, creating: [] };
    await this.record();
  }

  private async uploadLibraries(): Promise<void> {
    const { libraries } = this.plan.upload;
    await forEachBounded(libraries, async (library) => {
      if (library.bytes === null) return;
      await this.importFile({ path: library.remote_path, bytes: library.bytes, format: 'AUTO' });
    });
    this.state = {
      ...this.state,
      uploads: [...new Set([...this.state.uploads, ...libraries.map((library) => library.remote_path)])],
      artifacts: toArtifactRecords(this.plan.prepared),
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
    const { resource, name } = action;
    if (action.action === 'create' || action.action === 'recreate') {
      this.state = { ...this.state, creating: [...(this.state.creating ?? []), resource] };
      await this.record();
    }
    const context = { plan: this.plan, ids: idsOf(this.state), client: this.client };
    const id = await applyAction(action, context);
    const { [resource]: _, ...others } = this.state.resources;
    this.state = {
      ...this.state,
      resources:
        id === null
          ? others
          : { ...this.state.resources, [resource]: toRecord(action, idsOf(this.state), id) },
      creating: (this.state.creating ?? []).filter((each) => each !== resource),
    };
    if (action.action === 'unchanged') return;
    await this.record();
    const done = { create: 'created', update: 'updated', recreate: 'recreated', delete: 'deleted' } as const;
    this.onStep({ kind: done[action.action], resource, name, id: id ?? action.id ?? '' });
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
