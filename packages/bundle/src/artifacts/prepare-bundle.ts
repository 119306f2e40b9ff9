// The local side of a plan: wheels built where their source changed, and the hash of every file that may be sent.

import { glob, readFile } from 'node:fs/promises';
import path from 'node:path';
import { forEachBounded } from '../deploy/bundle-client.ts';
import { BundleError } from '../deploy/bundle-error.ts';
import { FILE_BYTES_MAX, type LocalFile, sha256 } from '../load/list-files.ts';
import { listAt, type Node, at as nodeAt, textAt } from '../nodes.ts';
import type { DeploymentState } from '../plan/deployment-state.ts';
import {
  findWheel,
  type LocalLibrary,
  type PreparedArtifact,
  type PreparedBundle,
} from '../plan/prepared-bundle.ts';
import { errorAt, type Position, type Problem } from '../problem.ts';
import { tasksOf } from '../resolve/job-tasks.ts';
import type { ResolvedArtifact, ResolvedBundle } from '../resolve/resolve-bundle.ts';
import { LOCAL_PREFIX } from '../resolve/translate-paths.ts';
import { type BuiltFile, buildWheel, isBelow, readBuilt } from './build-wheel.ts';

export interface PrepareOptions {
  readonly python: string;
  /** The caller's, for builds; without it a build finds programs in the usual folders only. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Told before a build starts, which may take a while. */
  readonly onBuild?: (artifact: string) => void;
}

export async function prepareBundle(
  bundle: ResolvedBundle,
  state: DeploymentState,
  options: PrepareOptions,
): Promise<PreparedBundle> {
  const fileHashes = await hashFiles(bundle);
  const artifacts: PreparedArtifact[] = [];
  for (const artifact of bundle.artifacts.filter(({ type }) => type === 'whl'))
    artifacts.push(await prepareArtifact(artifact, bundle, { fileHashes, state, ...options }));
  const { libraries, problems } = await findLibraries(bundle, artifacts);
  problems.push(...findWheellessTasks(bundle, artifacts));
  if (problems.length > 0) throw new BundleError(problems);
  return { bundle, artifacts, libraries, fileHashes };
}

async function hashFiles(bundle: ResolvedBundle): Promise<Map<string, string>> {
  const hashes = new Map<string, string>();
  const problems: Problem[] = [];
  const sent = new Set(bundle.files.map(({ local }) => local.path));
  const needed = bundle.localFiles.filter((file) => sent.has(file.path) || isBuildInput(file, bundle));
  await forEachBounded(needed, async (file) => {
    if (sent.has(file.path) && file.sizeBytes > FILE_BYTES_MAX) {
      const message = `is larger than ${FILE_BYTES_MAX / 1024 / 1024} MB, which is the limit for a workspace file; name it in .gitignore or sync.exclude`;
      problems.push(errorAt({ file: file.path, line: 1, column: 1 }, message));
      return;
    }
    hashes.set(file.path, sha256(await readFile(path.join(bundle.folder, file.path))));
  });
  if (problems.length > 0) throw new BundleError(problems);
  return hashes;
}

function isBuildInput(file: LocalFile, bundle: ResolvedBundle): boolean {
  return bundle.artifacts.some((artifact) => isInputOf(artifact, file, bundle));
}

/** Notebooks and bundle files are no input of a wheel: changing a schedule rebuilds nothing. */
function isInputOf(artifact: ResolvedArtifact, file: LocalFile, bundle: ResolvedBundle): boolean {
  return (
    isBelow(file.path, artifact.path) && file.notebook === null && !bundle.configFiles.includes(file.path)
  );
}

interface ArtifactContext extends PrepareOptions {
  readonly fileHashes: ReadonlyMap<string, string>;
  readonly state: DeploymentState;
}

async function prepareArtifact(
  artifact: ResolvedArtifact,
  bundle: ResolvedBundle,
  context: ArtifactContext,
): Promise<PreparedArtifact> {
  const sourceHash = hashSource(artifact, bundle, context.fileHashes);
  const recorded = context.state.artifacts[artifact.name];
  const uploaded =
    recorded?.files.every((wheel) => context.state.uploads.includes(wheel.remote_path)) ?? false;
  if (
    recorded?.source_hash === sourceHash &&
    uploaded &&
    recorded.files.every((wheel) => wheel.remote_path.startsWith(bundle.workspace.artifactPath))
  ) {
    return {
      name: artifact.name,
      sourceHash,
      files: recorded.files.map((wheel) => ({ ...wheel, bytes: null })),
    };
  }
  context.onBuild?.(artifact.name);
  const built = await buildWheel(artifact, bundle, {
    python: context.python,
    environment: context.environment ?? {},
  });
  if (built.length === 0)
    throw new BundleError([
      errorAt(artifact.at, `artifact ${artifact.name}: the build left no wheel (.whl)`),
    ]);
  return { name: artifact.name, sourceHash, files: built.map((file) => describeLibrary(file, bundle)) };
}

function hashSource(
  artifact: ResolvedArtifact,
  bundle: ResolvedBundle,
  fileHashes: ReadonlyMap<string, string>,
): string {
  const inputs = bundle.localFiles.filter((file) => isInputOf(artifact, file, bundle));
  const lines = inputs.map((file) => `${fileHashes.get(file.path)} ${file.path}`);
  return sha256([artifact.build ?? '', ...lines].join('\n'));
}

function describeLibrary({ name, bytes }: BuiltFile, bundle: ResolvedBundle): LocalLibrary {
  const hash = sha256(bytes);
  return {
    package_name: name.split('-')[0] ?? name,
    file_name: name,
    content_hash: hash,
    // The name of a wheel must stay as it is for pip; the hash is a folder.
    remote_path: `${bundle.workspace.artifactPath}/${hash.slice(0, 16)}/${name}`,
    bytes,
  };
}

interface FoundLibraries {
  readonly libraries: ReadonlyMap<string, readonly LocalLibrary[]>;
  readonly problems: Problem[];
}

async function findLibraries(
  bundle: ResolvedBundle,
  artifacts: readonly PreparedArtifact[],
): Promise<FoundLibraries> {
  const libraries = new Map<string, readonly LocalLibrary[]>();
  const problems: Problem[] = [];
  for (const { text, at } of localLibraries(bundle)) {
    if (libraries.has(text)) continue;
    const pattern = text.slice(LOCAL_PREFIX.length);
    const owner = bundle.artifacts.find((artifact) => isOutputOf(artifact, pattern));
    const found =
      owner === undefined
        ? await matchLibraries(pattern, bundle)
        : (artifacts.find(({ name }) => name === owner.name)?.files ?? []);
    libraries.set(text, found);
    if (found.length === 0)
      problems.push(
        errorAt(at, `no file matches '${pattern}'; build it first, or declare it under artifacts`),
      );
  }
  return { libraries, problems };
}

/** `dist/*.whl` of an artifact means what the artifact builds, also when nothing had to be built. */
function isOutputOf(artifact: ResolvedArtifact, pattern: string): boolean {
  return (
    pattern.endsWith('.whl') &&
    (artifact.sources.includes(pattern) ||
      path.posix.dirname(pattern) === path.posix.join(artifact.path, 'dist'))
  );
}

async function matchLibraries(pattern: string, bundle: ResolvedBundle): Promise<LocalLibrary[]> {
  const found: LocalLibrary[] = [];
  for await (const match of glob(pattern, { cwd: bundle.folder })) {
    found.push(describeLibrary(await readBuilt(path.join(bundle.folder, match)), bundle));
  }
  return found.sort((a, b) => (a.file_name < b.file_name ? -1 : 1));
}

function localLibraries(bundle: ResolvedBundle): { text: string; at: Position }[] {
  return bundle.jobs.flatMap((job) => [
    ...listAt(job.node, 'tasks').flatMap((task) => librariesOf(task)),
    ...listAt(job.node, 'environments').flatMap((environment) =>
      listAt(environment, 'spec', 'dependencies').flatMap(toLocal),
    ),
  ]);
}

function librariesOf(task: Node): { text: string; at: Position }[] {
  const nested = nodeAt(task, 'for_each_task', 'task');
  const own = listAt(task, 'libraries').flatMap((library) =>
    ['whl', 'jar'].flatMap((kind) => toLocal(nodeAt(library, kind))),
  );
  return nested === undefined ? own : [...own, ...librariesOf(nested)];
}

function toLocal(node: Node | undefined): { text: string; at: Position }[] {
  const text = textAt(node);
  return node !== undefined && text?.startsWith(LOCAL_PREFIX) ? [{ text, at: node.at }] : [];
}

/** A wheel task that names neither libraries nor a package of the bundle would fail when it runs. */
function findWheellessTasks(bundle: ResolvedBundle, artifacts: readonly PreparedArtifact[]): Problem[] {
  return bundle.jobs.flatMap((job) =>
    tasksOf(job.node).flatMap(({ node: task }) => {
      const node = nodeAt(task, 'python_wheel_task', 'package_name');
      const name = textAt(node);
      if (
        node === undefined ||
        name === null ||
        nodeAt(task, 'libraries') !== undefined ||
        nodeAt(task, 'environment_key') !== undefined
      )
        return [];
      if (findWheel(name, { artifacts }) !== undefined) return [];
      const known =
        artifacts.flatMap((artifact) => artifact.files.map((wheel) => wheel.package_name)).join(', ') ||
        'none';
      return [
        errorAt(
          node.at,
          `no artifact builds package '${name}' and the task names no libraries; artifacts build: ${known}`,
        ),
      ];
    }),
  );
}
