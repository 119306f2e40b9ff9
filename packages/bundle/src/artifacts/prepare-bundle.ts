// The local side of a plan: artifacts built where their source changed, and the hash of every file that may be sent.

import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { forEachBounded } from '../deploy/bundle-client.ts';
import { BundleError } from '../deploy/bundle-error.ts';
import { FILE_BYTES_MAX, sha256 } from '../load/list-files.ts';
import type { DeploymentState } from '../plan/deployment-state.ts';
import type { PreparedArtifact, PreparedBundle } from '../plan/prepared-bundle.ts';
import { errorAt, type Problem } from '../problem.ts';
import type { ResolvedArtifact, ResolvedBundle } from '../resolve/resolved-bundle.ts';
import { isBuilt, listInputs } from './artifact-files.ts';
import { buildArtifact } from './build-artifact.ts';
import { readCache, writeCache } from './build-cache.ts';
import { describeLibrary } from './describe-library.ts';
import { findLibraries } from './find-libraries.ts';

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
  for (const artifact of bundle.artifacts)
    artifacts.push(await prepareArtifact(artifact, bundle, { fileHashes, state, ...options }));
  const { libraries, problems } = await findLibraries(bundle, artifacts);
  if (problems.length > 0) throw new BundleError(problems);
  return { bundle, artifacts, libraries, fileHashes };
}

async function hashFiles(bundle: ResolvedBundle): Promise<Map<string, string>> {
  const hashes = new Map<string, string>();
  const problems: Problem[] = [];
  const sent = new Set(bundle.files.map(({ local }) => local.path));
  const inputs = new Set(bundle.artifacts.flatMap((artifact) => listInputs(artifact, bundle)));
  const needed = bundle.localFiles.filter((file) => sent.has(file.path) || inputs.has(file));
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

interface ArtifactContext extends PrepareOptions {
  readonly fileHashes: ReadonlyMap<string, string>;
  readonly state: DeploymentState;
}

async function prepareArtifact(
  artifact: ResolvedArtifact,
  bundle: ResolvedBundle,
  context: ArtifactContext,
): Promise<PreparedArtifact> {
  const { name } = artifact;
  // Of files that something else makes only they themselves say whether they are others now.
  const builds = isBuilt(artifact, bundle);
  const sourceHash = hashSource(artifact, bundle, context.fileHashes);
  const uploaded = builds ? findUploaded(name, sourceHash, { bundle, state: context.state }) : null;
  if (uploaded !== null) return { name, sourceHash, files: uploaded };
  const cached = builds ? await readCache(artifact, bundle, sourceHash) : null;
  if (cached !== null)
    return { name, sourceHash, files: cached.map((file) => describeLibrary(file, bundle)) };
  if (builds) context.onBuild?.(name);
  const { python, environment = {} } = context;
  const built = await buildArtifact(artifact, bundle, { python, environment, sourceHash });
  if (builds) await writeCache(artifact, bundle, { sourceHash, files: built });
  return { name, sourceHash, files: built.map((file) => describeLibrary(file, bundle)) };
}

/** null: the workspace has not got what this source gives. */
function findUploaded(
  name: string,
  sourceHash: string,
  { bundle, state }: { readonly bundle: ResolvedBundle; readonly state: DeploymentState },
): PreparedArtifact['files'] | null {
  const recorded = state.artifacts[name];
  if (recorded?.source_hash !== sourceHash) return null;
  const isThere = recorded.files.every(
    ({ remote_path: remote }) =>
      state.uploads.includes(remote) && remote.startsWith(bundle.workspace.artifactPath),
  );
  return isThere ? recorded.files.map((file) => ({ ...file, bytes: null })) : null;
}

function hashSource(
  artifact: ResolvedArtifact,
  bundle: ResolvedBundle,
  fileHashes: ReadonlyMap<string, string>,
): string {
  const { build, executable, dynamicVersion, sources } = artifact;
  const lines = listInputs(artifact, bundle).map((file) => `${fileHashes.get(file.path)} ${file.path}`);
  const settings = executable === null && !dynamicVersion ? [] : [executable ?? '', String(dynamicVersion)];
  return sha256([build ?? '', ...settings, ...sources, ...lines].join('\n'));
}
