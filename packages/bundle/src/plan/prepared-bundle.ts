// A resolved bundle whose artifacts are built and whose files are hashed: all a plan must know of the local side.

import type { ResolvedBundle } from '../resolve/resolved-bundle.ts';
import { type BuiltFile, STATE_FILE } from './deployment-state.ts';

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
  readonly files: readonly LocalLibrary[];
}

export interface LocalLibrary extends BuiltFile {
  /** null: it was not built again because the workspace has it already. */
  readonly bytes: Uint8Array | null;
}

export function wantedLibraries(prepared: PreparedBundle): LocalLibrary[] {
  const all = [
    ...prepared.artifacts.flatMap((artifact) => artifact.files),
    ...[...prepared.libraries.values()].flat(),
  ];
  return [...new Map(all.map((library) => [library.remote_path, library])).values()];
}

export function findWheel(
  packageName: string,
  prepared: Pick<PreparedBundle, 'artifacts'>,
): LocalLibrary | undefined {
  const normalized = normalizePackageName(packageName);
  return prepared.artifacts
    .flatMap((artifact) => artifact.files)
    .find(
      (file) => file.file_name.endsWith('.whl') && normalizePackageName(file.package_name) === normalized,
    );
}

/** As Python's package index compares names. */
export function normalizePackageName(name: string): string {
  return name.toLowerCase().replaceAll(/[-_.]+/g, '_');
}

export function metadataPath(bundle: ResolvedBundle): string {
  return `${bundle.workspace.statePath}/${STATE_FILE}`;
}
