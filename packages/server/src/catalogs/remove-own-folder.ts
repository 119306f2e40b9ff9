import path from 'node:path';
import { type HeldFolder, holdFolder, removeEntry } from '../blobs/held-folder.ts';
import type { Services } from '../services.ts';
import { findOwnFolder, rootOfOwnFolder } from './managed-location.ts';
import { requireManagedRoot } from './managed-root.ts';

/** Of a dropped table or volume in a location. What is not to be touched any more stays, and is forgotten with a warning. */
export async function removeOwnFolder(
  services: Pick<Services, 'blobs' | 'config' | 'log'>,
  folder: string,
): Promise<void> {
  const parent = path.dirname(folder);
  let held: HeldFolder | null = null;
  try {
    if (findOwnFolder(folder) === null)
      throw new Error(`${folder} is no folder of a managed table or volume`);
    await requireManagedRoot(services, rootOfOwnFolder(folder));
    // Held from here on: a task may put a link in its place at any time.
    held = await holdFolder(parent, { root: parent });
    if (held === null) throw new Error(`${parent} is a link to elsewhere`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return; // It has gone already.
    // What the disk cannot do now it may do at the next turn; a refusal stays one.
    if (isPassing(error)) throw error;
    services.log.warn({ err: error, folder }, 'files of a dropped table or volume stay');
    return;
  }
  await removeEntry(`${held.place}/${path.basename(folder)}`, { root: parent }).finally(held.release);
}

function isPassing(error: unknown): boolean {
  const { syscall, code } = error as NodeJS.ErrnoException;
  return syscall !== undefined && code !== 'ELOOP' && code !== 'ENOTDIR';
}
