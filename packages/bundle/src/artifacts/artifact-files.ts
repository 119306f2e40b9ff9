// Which files an artifact is made of, and which it leaves.

import path from 'node:path';
import picomatch from 'picomatch';
import type { LocalFile } from '../load/list-files.ts';
import type { ResolvedArtifact, ResolvedBundle } from '../resolve/resolved-bundle.ts';

/** Where builds leave their files, below the artifact's folder, when nobody says it. */
const OUTPUTS: Readonly<Record<ResolvedArtifact['type'], readonly string[]>> = {
  whl: ['dist/*.whl'],
  jar: ['target/*.jar', 'build/libs/*.jar', 'dist/*.jar'],
  other: [],
};
/** What build tools write beside them. */
const LEFTOVERS = ['dist/**', 'build/**', 'target/**', '*.egg-info/**', 'out/**'];

/** Relative to the bundle folder. */
export function outputPatterns({ type, path: folder, sources }: ResolvedArtifact): readonly string[] {
  return sources.length > 0 ? sources : OUTPUTS[type].map((pattern) => path.posix.join(folder, pattern));
}

export function isBelow(file: string, folder: string): boolean {
  // Files that sync.paths brings from outside are no part of a project in the bundle folder.
  return folder === '' ? !file.startsWith('../') : file.startsWith(`${folder}/`);
}

/** Otherwise its files are there already, made by something else. */
export function isBuilt(artifact: ResolvedArtifact, bundle: ResolvedBundle): boolean {
  const { type, build, sources } = artifact;
  if (build !== null || type !== 'whl' || sources.length === 0) return build !== null || type === 'whl';
  const projects = ['pyproject.toml', 'setup.py', 'setup.cfg'].map((name) =>
    path.posix.join(artifact.path, name),
  );
  return bundle.localFiles.some((file) => projects.includes(file.path));
}

/** Notebooks and bundle files are no input of a build: changing a schedule rebuilds nothing. */
export function listInputs(artifact: ResolvedArtifact, bundle: ResolvedBundle): LocalFile[] {
  const config = new Set(bundle.configFiles);
  // What a command leaves in the folder is no reason to run it again.
  const left =
    artifact.build === null
      ? []
      : [...outputPatterns(artifact), ...LEFTOVERS.map((pattern) => path.posix.join(artifact.path, pattern))];
  const isLeft = left.length === 0 ? () => false : picomatch(left, { dot: true });
  return bundle.localFiles.filter(
    (file) =>
      isBelow(file.path, artifact.path) &&
      file.notebook === null &&
      !config.has(file.path) &&
      !isLeft(file.path),
  );
}

/** `dist/*.whl` of an artifact means what the artifact builds, also when nothing had to be built. */
export function findOwner(
  pattern: string,
  artifacts: readonly ResolvedArtifact[],
): ResolvedArtifact | undefined {
  const folder = path.posix.dirname(pattern);
  return artifacts.find((artifact) =>
    outputPatterns(artifact).some(
      (output) =>
        output === pattern ||
        (path.posix.dirname(output) === folder && path.posix.extname(output) === path.posix.extname(pattern)),
    ),
  );
}

/** Those of the built files that a library means; a version that changes with each build changes the name, too. */
export function selectOutputs<File extends { readonly file_name: string }>(
  pattern: string,
  files: readonly File[],
): readonly File[] {
  const isMeant = picomatch(path.posix.basename(pattern));
  const named = files.filter((file) => isMeant(file.file_name));
  const alike = files.filter((file) => path.extname(file.file_name) === path.extname(pattern));
  return named.length > 0 ? named : alike;
}
