// Wanted against deployed: what a deploy would do, as data. Pure.

import { JobSettings } from '@headrace/api';
import { pendingResources } from '../resolve/interpolate.ts';
import type { ResolvedBundle, ResolvedJob, SyncFile } from '../resolve/resolve-bundle.ts';
import { LOCAL_PREFIX } from '../resolve/translate-paths.ts';
import { orderJobs } from '../validate/validate-bundle.ts';
import { type BuiltWheel, type Deployed, type DeploymentState, STATE_FILE } from './deployment-state.ts';
import { type Difference, findDifferences } from './find-differences.ts';

type Settings = Readonly<Record<string, unknown>>;

/** A resolved bundle whose artifacts are built and whose files are hashed: all a plan must know of the local side. */
export interface PreparedBundle {
  readonly bundle: ResolvedBundle;
  readonly artifacts: readonly PreparedArtifact[];
  /** Local wheels and jars by what `libraries` says (`./dist/*.whl`). */
  readonly libraries: ReadonlyMap<string, readonly LocalLibrary[]>;
  /** By local path. */
  readonly fileHashes: ReadonlyMap<string, string>;
}

export interface PreparedArtifact {
  readonly name: string;
  readonly sourceHash: string;
  readonly wheels: readonly LocalLibrary[];
}

export interface LocalLibrary extends BuiltWheel {
  /** null: it was not rebuilt because the workspace has it already. */
  readonly bytes: Uint8Array | null;
}

export type PlannedAction =
  | { readonly kind: 'create'; readonly resource: string; readonly name: string; readonly settings: Settings }
  | {
      readonly kind: 'update';
      readonly resource: string;
      readonly name: string;
      readonly id: number;
      readonly settings: Settings;
      readonly differences: readonly Difference[];
    }
  | { readonly kind: 'delete'; readonly resource: string; readonly name: string; readonly id: number }
  | { readonly kind: 'unchanged'; readonly resource: string; readonly name: string; readonly id: number };

export interface Plan {
  readonly prepared: PreparedBundle;
  readonly state: DeploymentState;
  /** In the order they are applied. */
  readonly actions: readonly PlannedAction[];
  readonly upload: {
    readonly libraries: readonly LocalLibrary[];
    readonly files: readonly (SyncFile & { readonly hash: string })[];
  };
  /** Recorded files and libraries that the bundle no longer has, by remote path. */
  readonly remove: readonly string[];
  readonly hasChanges: boolean;
}

export function planBundle(prepared: PreparedBundle, deployed: Deployed): Plan {
  const { bundle } = prepared;
  const wanted = orderJobs(bundle.jobs);
  // A job that is made again has another id, and what names it changes with it.
  const lasting = { ...deployed.state, resources: keepExisting(deployed) };
  const actions = [
    ...wanted.map((job) => planJob(job, prepared, { ...deployed, state: lasting })),
    ...planDeletes(bundle, deployed),
  ];
  const upload = { libraries: planLibraries(prepared, deployed), files: planFiles(prepared, deployed) };
  const remove = planRemovals(prepared, deployed);
  const hasChanges =
    actions.some((action) => action.kind !== 'unchanged') ||
    upload.libraries.length > 0 ||
    upload.files.length > 0 ||
    remove.length > 0;
  return { prepared, state: deployed.state, actions, upload, remove, hasChanges };
}

function keepExisting({ state, jobs }: Deployed): DeploymentState['resources'] {
  return Object.fromEntries(Object.entries(state.resources).filter(([, { id }]) => jobs.has(id)));
}

function planJob(job: ResolvedJob, prepared: PreparedBundle, deployed: Deployed): PlannedAction {
  const resource = `jobs.${job.key}`;
  const settings = toWantedSettings(job, prepared);
  const name = String(settings.name ?? job.key);
  const recorded = deployed.state.resources[resource];
  const remote = recorded === undefined ? undefined : deployed.jobs.get(recorded.id);
  if (recorded === undefined || remote === undefined) return { kind: 'create', resource, name, settings };
  const differences = findDifferences(remote, fillResourceIds(settings, deployed.state));
  const { id } = recorded;
  return differences.length === 0
    ? { kind: 'unchanged', resource, name, id }
    : { kind: 'update', resource, name, id, settings, differences };
}

function planDeletes(bundle: ResolvedBundle, deployed: Deployed): PlannedAction[] {
  const wanted = new Set(bundle.jobs.map((job) => `jobs.${job.key}`));
  // The record is in the order of creation: what refers to others goes before them.
  return Object.entries(deployed.state.resources)
    .reverse()
    .filter(([resource]) => !wanted.has(resource))
    .map(([resource, { id, name }]) => ({ kind: 'delete', resource, name, id }));
}

/** The document as it is sent: typed by the contract, libraries in place, tagged with this deployment. */
function toWantedSettings(job: ResolvedJob, prepared: PreparedBundle): Settings {
  const tasks = job.settings.tasks;
  const settings = {
    ...job.settings,
    ...(Array.isArray(tasks) ? { tasks: tasks.map((task: Settings) => withLibraries(task, prepared)) } : {}),
    ...withEnvironments(job.settings, prepared),
    deployment: {
      kind: 'BUNDLE',
      metadata_file_path: metadataPath(prepared.bundle),
      resource: `jobs.${job.key}`,
    },
  };
  const parsed = JobSettings.safeParse(settings);
  return parsed.success ? parsed.data : settings;
}

export function metadataPath(bundle: ResolvedBundle): string {
  return `${bundle.workspace.statePath}/${STATE_FILE}`;
}

function withLibraries(task: Settings, prepared: PreparedBundle): Settings {
  const nested = task.for_each_task as Settings | undefined;
  const inner = nested?.task as Settings | undefined;
  if (nested !== undefined && inner !== undefined) {
    return { ...task, for_each_task: { ...nested, task: withLibraries(inner, prepared) } };
  }
  const libraries = task.libraries;
  if (Array.isArray(libraries))
    return {
      ...task,
      libraries: libraries.flatMap((library: Settings) => toRemoteLibraries(library, prepared)),
    };
  const packageName = (task.python_wheel_task as Settings | undefined)?.package_name;
  // With an environment, the wheel comes from its dependencies.
  if (typeof packageName !== 'string' || task.environment_key !== undefined) return task;
  const wheel = findWheel(packageName, prepared);
  return wheel === undefined ? task : { ...task, libraries: [{ whl: wheel.remote_path }] };
}

export function findWheel(
  packageName: string,
  prepared: Pick<PreparedBundle, 'artifacts'>,
): LocalLibrary | undefined {
  const normalized = normalizePackageName(packageName);
  return prepared.artifacts
    .flatMap((artifact) => artifact.wheels)
    .find((wheel) => normalizePackageName(wheel.package_name) === normalized);
}

/** As Python's package index compares names. */
export function normalizePackageName(name: string): string {
  return name.toLowerCase().replaceAll(/[-_.]+/g, '_');
}

function toRemoteLibraries(library: Settings, prepared: PreparedBundle): Settings[] {
  for (const kind of ['whl', 'jar']) {
    const path = library[kind];
    if (typeof path !== 'string' || !path.startsWith(LOCAL_PREFIX)) continue;
    return (prepared.libraries.get(path) ?? []).map((found) => ({ ...library, [kind]: found.remote_path }));
  }
  return [library];
}

function withEnvironments(settings: Settings, prepared: PreparedBundle): Settings {
  const environments = settings.environments;
  if (!Array.isArray(environments)) return {};
  return {
    environments: environments.map((environment: Settings) => {
      const spec = environment.spec as Settings | undefined;
      const dependencies = spec?.dependencies;
      if (!Array.isArray(dependencies)) return environment;
      const translated = dependencies.flatMap((dependency: unknown) =>
        typeof dependency === 'string' && dependency.startsWith(LOCAL_PREFIX)
          ? (prepared.libraries.get(dependency) ?? []).map((found) => found.remote_path)
          : [dependency],
      );
      return { ...environment, spec: { ...spec, dependencies: translated } };
    }),
  };
}

/** Puts the ids that are known in the place of `${resources.jobs.<key>.id}`. */
export function fillResourceIds(settings: Settings, state: Pick<DeploymentState, 'resources'>): Settings {
  const filled: unknown = JSON.parse(JSON.stringify(settings), (field, value: unknown) => {
    if (typeof value !== 'string') return value;
    let text = value;
    for (const { kind, key, match } of pendingResources(value)) {
      const id = state.resources[`${kind}.${key}`]?.id;
      if (id === undefined) continue;
      if (match === value && field === 'job_id') return id;
      text = text.replace(match, String(id));
    }
    return text;
  });
  return filled as Settings; // an object stays one
}

export function wantedLibraries(prepared: PreparedBundle): LocalLibrary[] {
  const all = [
    ...prepared.artifacts.flatMap((artifact) => artifact.wheels),
    ...[...prepared.libraries.values()].flat(),
  ];
  return [...new Map(all.map((library) => [library.remote_path, library])).values()];
}

function planLibraries(prepared: PreparedBundle, deployed: Deployed): LocalLibrary[] {
  return wantedLibraries(prepared).filter((library) => !deployed.state.uploads.includes(library.remote_path));
}

function planFiles(prepared: PreparedBundle, deployed: Deployed): Plan['upload']['files'] {
  return prepared.bundle.files.flatMap((file) => {
    const hash = prepared.fileHashes.get(file.local.path) ?? '';
    const recorded = deployed.state.files[file.local.path];
    return recorded?.hash === hash && recorded.remote_path === file.remotePath ? [] : [{ ...file, hash }];
  });
}

function planRemovals(prepared: PreparedBundle, deployed: Deployed): string[] {
  const keptFiles = new Set(prepared.bundle.files.map((file) => file.remotePath));
  const keptLibraries = new Set(wantedLibraries(prepared).map((library) => library.remote_path));
  return [
    ...Object.values(deployed.state.files)
      .map((file) => file.remote_path)
      .filter((remote) => !keptFiles.has(remote)),
    ...deployed.state.uploads.filter((remote) => !keptLibraries.has(remote)),
  ];
}
