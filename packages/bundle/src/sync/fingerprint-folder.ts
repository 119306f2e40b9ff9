// Whether any file of a bundle is another than a moment ago, without reading them or asking a server.

import { lstat } from 'node:fs/promises';
import path from 'node:path';
import { forEachBounded } from '../deploy/bundle-client.ts';
import { sha256 } from '../load/describe-file.ts';
import { loadBundle } from '../load/load-bundle.ts';

export interface FolderFingerprint {
  readonly fingerprint: string;
  /** Absolute: all that hold files, the bundle's own, and those that sync.paths names outside of it. */
  readonly folders: readonly string[];
}

export async function fingerprintFolder(folder: string): Promise<FolderFingerprint> {
  const loaded = await loadBundle(folder);
  const names = new Set([...loaded.files.map((file) => file.path), ...loaded.configFiles]);
  const lines: string[] = [];
  await forEachBounded([...names], async (name) => {
    const found = await lstat(path.join(loaded.folder, name)).catch(() => null);
    lines.push(`${name} ${found?.size} ${found?.mtimeMs} ${found?.ino}`);
  });
  const roots = [...loaded.syncRoots.values()].flatMap((root) =>
    root.kind === 'folder' && root.path.startsWith('..') ? [path.join(loaded.folder, root.path)] : [],
  );
  return {
    fingerprint: sha256(lines.sort().join('\n')),
    folders: [...new Set([loaded.folder, ...roots, ...foldersAbove([...names], loaded.folder)])],
  };
}

/** Up to the bundle's own, or up to where the files lie beside it. */
function foldersAbove(names: readonly string[], root: string): string[] {
  const found = new Set<string>();
  for (const name of names) {
    let folder = path.posix.dirname(name);
    while (folder !== '.' && !folder.endsWith('..') && !found.has(folder)) {
      found.add(folder);
      folder = path.posix.dirname(folder);
    }
  }
  return [...found].map((folder) => path.join(root, folder));
}
