import { sha256 } from '../load/list-files.ts';
import type { LocalLibrary } from '../plan/prepared-bundle.ts';
import type { ResolvedBundle } from '../resolve/resolved-bundle.ts';
import type { BuiltFile } from './build-artifact.ts';

/** Where a built file is uploaded to, below artifact_path. */
export function describeLibrary({ name, bytes }: BuiltFile, bundle: ResolvedBundle): LocalLibrary {
  const hash = sha256(bytes);
  return {
    package_name: name.endsWith('.whl') ? (name.split('-')[0] ?? name) : name,
    file_name: name,
    content_hash: hash,
    // The name of a wheel must stay as it is for pip; the hash is a folder.
    remote_path: `${bundle.workspace.artifactPath}/${hash.slice(0, 16)}/${name}`,
    bytes,
  };
}
