// What was built last, kept below the bundle's folder: a plan and the deployment that follows it build once, and mean the
// same bytes. Only a convenience: without it everything is built again.

import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import type { ResolvedArtifact, ResolvedBundle } from '../resolve/resolved-bundle.ts';
import { type BuiltFile, readBuilt } from './build-artifact.ts';

/** No part of any bundle (load/list-files.ts), and kept out of Git by a file of its own. */
const CACHE_FOLDER = '.headrace';
const CacheEntry = z.object({ source_hash: z.string(), files: z.array(z.string()) });

export async function readCache(
  artifact: ResolvedArtifact,
  bundle: ResolvedBundle,
  sourceHash: string,
): Promise<BuiltFile[] | null> {
  const folder = folderOf(artifact, bundle);
  try {
    const entry = CacheEntry.parse(JSON.parse(await readFile(path.join(folder, 'entry.json'), 'utf8')));
    if (entry.source_hash !== sourceHash) return null;
    return await Promise.all(entry.files.map((name) => readBuilt(path.join(folder, path.basename(name)))));
  } catch {
    return null; // Missing, half-written or somebody else's: it is built again.
  }
}

export async function writeCache(
  artifact: ResolvedArtifact,
  bundle: ResolvedBundle,
  { sourceHash, files }: { readonly sourceHash: string; readonly files: readonly BuiltFile[] },
): Promise<void> {
  const folder = folderOf(artifact, bundle);
  try {
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true });
    await writeFile(path.join(bundle.folder, CACHE_FOLDER, '.gitignore'), '*\n');
    for (const { name, bytes } of files) await writeFile(path.join(folder, name), bytes);
    // Last, so that an entry stands for files that are there whole.
    const entry = { source_hash: sourceHash, files: files.map(({ name }) => name) };
    await writeFile(path.join(folder, 'entry.json'), JSON.stringify(entry));
  } catch {
    // A folder that cannot be written costs another build, nothing else.
  }
}

function folderOf({ name }: ResolvedArtifact, bundle: ResolvedBundle): string {
  const target = encodeURIComponent(bundle.target);
  return path.join(bundle.folder, CACHE_FOLDER, 'artifacts', target, encodeURIComponent(name));
}
