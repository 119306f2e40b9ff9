/**
 * Copies a tree whose files are being written. What goes away meanwhile is noted, not fatal. The log of a Delta table
 * is copied before its files: whatever the copied log names was there already.
 */
import type { Dirent } from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';

export interface CopiedFiles {
  count: number;
  bytes: number;
  /** Were listed and then gone; at most `missedMax` are named. */
  readonly missed: string[];
}

const missedMax = 1_000;
const deltaLog = '_delta_log';
/** It names a checkpoint that must be there: read before the list of what is. */
const lastCheckpoint = '_last_checkpoint';

/** `isLeftOut` is asked with the path below the root. */
export async function copyFiles(
  from: string,
  to: string,
  isLeftOut: (relative: string) => boolean,
): Promise<CopiedFiles> {
  const copied: CopiedFiles = { count: 0, bytes: 0, missed: [] };

  async function copyFolder(relative: string): Promise<void> {
    await fs.mkdir(path.join(to, relative), { recursive: true, mode: 0o700 });
    if (path.basename(relative) === deltaLog) await copyFile(path.join(relative, lastCheckpoint), false);
    const entries = await readFolder(path.join(from, relative));
    for (const entry of entries.sort(byUrgency)) {
      const below = path.join(relative, entry.name);
      if (isLeftOut(below) || entry.name === lastCheckpoint) continue;
      if (entry.isDirectory()) await copyFolder(below);
      else if (entry.isFile()) await copyFile(below, true);
    }
  }

  async function copyFile(relative: string, isListed: boolean): Promise<void> {
    const target = path.join(to, relative);
    try {
      await fs.copyFile(path.join(from, relative), target);
      const { mode, size } = await fs.stat(target);
      // For its owner only; a program stays one.
      await fs.chmod(target, 0o600 | (mode & 0o100));
      copied.count += 1;
      copied.bytes += size;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      if (isListed && copied.missed.length < missedMax) copied.missed.push(relative);
    }
  }

  await copyFolder('');
  return copied;
}

function byUrgency(a: Dirent, b: Dirent): number {
  if (a.name === deltaLog || b.name === deltaLog) return a.name === deltaLog ? -1 : 1;
  return a.name < b.name ? -1 : 1;
}

async function readFolder(folder: string): Promise<Dirent[]> {
  try {
    return await fs.readdir(folder, { withFileTypes: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
