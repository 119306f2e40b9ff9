// Applies a plan: under the lock, as one version (release.ts).

import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { BundleFile } from '@headrace/api';
import { sha256 } from '../load/list-files.ts';
import { type DeploymentState, STATE_FILE } from '../plan/deployment-state.ts';
import { isAbsent } from '../plan/kinds/is-absent.ts';
import type { Plan } from '../plan/planned-action.ts';
import { metadataPath, type PreparedBundle, wantedLibraries } from '../plan/prepared-bundle.ts';
import { toArtifactRecords } from '../plan/to-record.ts';
import type { GitFacts } from '../resolve/resolved-bundle.ts';
import type { BundleClient } from './bundle-client.ts';
import { BundleError } from './bundle-error.ts';
import { type LockOptions, withLock } from './hold-lock.ts';
import { type DeployStep, makeRelease, type Release, type Released } from './release.ts';
import type { Content } from './upload-contents.ts';

export interface DeployOptions extends LockOptions {
  readonly onStep?: (step: DeployStep) => void;
  /** Kept with the version. */
  readonly message?: string;
}

/** null: there was nothing to do. */
export async function deployBundle(
  plan: Plan,
  client: BundleClient,
  options: DeployOptions = {},
): Promise<Released | null> {
  if (!plan.hasChanges && !isUnfinished(plan.state)) return null;
  const release = toRelease(plan, client, options.message);
  const { lockEnabled } = plan.prepared.bundle.deployment;
  const lockOptions = { ...options, forceLock: options.forceLock === true || !lockEnabled };
  return withLock(client, release.place, lockOptions, (lock) => {
    refuseMoved(plan, lock.currentVersion);
    return makeRelease(release, client, { lock, onStep: options.onStep ?? (() => undefined) });
  });
}

/** An earlier deployment broke off between its steps. */
export function isUnfinished({ creating }: DeploymentState): boolean {
  return (creating?.length ?? 0) > 0;
}

function refuseMoved({ state, prepared }: Plan, currentVersion: number): void {
  if (currentVersion === state.serial) return;
  const { name, target } = prepared.bundle;
  const message = `somebody has deployed bundle ${name}, target ${target}, in the meantime (version ${currentVersion}); nothing was changed, run it again`;
  const file = metadataPath(prepared.bundle);
  throw new BundleError([{ severity: 'error', message, file, line: 1, column: 1 }]);
}

function toRelease({ prepared, state, actions }: Plan, client: BundleClient, message?: string): Release {
  const { bundle } = prepared;
  const pointer = stateFileOf(prepared);
  const { files, contents } = filesOf(prepared, client);
  return {
    place: { statePath: bundle.workspace.statePath, target: bundle.target, bundle: bundle.name },
    ...{ state, actions, artifacts: toArtifactRecords(prepared) },
    files: [...files, pointer.file],
    contents: [...contents, pointer.content],
    git: gitOf(bundle.git),
    ...(message === undefined ? {} : { message }),
  };
}

export function gitOf({ branch, commit, originUrl }: GitFacts): NonNullable<Release['git']> {
  return {
    ...(branch === null ? {} : { branch }),
    ...(commit === null ? {} : { commit }),
    ...(originUrl === null ? {} : { origin: originUrl }),
  };
}

interface NamedContents {
  readonly files: BundleFile[];
  readonly contents: Content[];
}

function filesOf(prepared: PreparedBundle, client: BundleClient): NamedContents {
  const { bundle, fileHashes } = prepared;
  const sources = bundle.files.map(({ local, remotePath }) => {
    const hash = fileHashes.get(local.path) ?? '';
    const { notebook } = local;
    const language = notebook === null ? {} : { language: notebook.language };
    return {
      file: {
        ...{ path: remotePath, remote_path: remotePath, hash, local_path: local.path },
        ...{ format: notebook?.format ?? ('AUTO' as const), ...language },
      },
      content: { hash, name: local.path, read: () => readFile(path.join(bundle.folder, local.path)) },
    };
  });
  const libraries = wantedLibraries(prepared).map(({ remote_path: remote, content_hash: hash, bytes }) => ({
    file: { path: remote, remote_path: remote, hash, format: 'RAW' as const },
    // One that was not built again is in the workspace, where a deployment of another time put it.
    content: { hash, name: remote, read: async () => bytes ?? (await exportFile(remote, client)) },
  }));
  const all = [...sources, ...libraries];
  return { files: all.map(({ file }) => file), contents: all.map(({ content }) => content) };
}

async function exportFile(remote: string, client: BundleClient): Promise<Uint8Array | null> {
  try {
    const { content } = await client.workspaceExport({ path: remote, format: 'AUTO' });
    return Buffer.from(content, 'base64');
  } catch (error) {
    if (isAbsent(error)) return null;
    throw error;
  }
}

/** Where the state was before servers kept it: a program of that time stops at it and says so. */
function stateFileOf({ bundle }: PreparedBundle): { file: BundleFile; content: Content } {
  const kept = { version: 3, kept_by: 'the server', bundle: bundle.name, target: bundle.target };
  const bytes = Buffer.from(`${JSON.stringify(kept, null, 2)}\n`);
  const remote = `${bundle.workspace.statePath}/${STATE_FILE}`;
  const hash = sha256(bytes);
  return {
    file: { path: remote, remote_path: remote, hash, format: 'RAW' },
    content: { hash, name: remote, read: async () => bytes },
  };
}
