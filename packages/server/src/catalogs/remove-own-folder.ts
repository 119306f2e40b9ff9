import fs from 'node:fs/promises';
import path from 'node:path';
import type { Services } from '../services.ts';
import { findRealPlace } from './external-place.ts';
import { findOwnFolder, rootOfOwnFolder } from './managed-location.ts';
import { requireManagedRoot } from './managed-root.ts';

/** Of a dropped table or volume in a location. What is not to be touched any more stays, and is forgotten with a warning. */
export async function removeOwnFolder(
  services: Pick<Services, 'blobs' | 'config' | 'log'>,
  folder: string,
): Promise<void> {
  const parent = path.dirname(folder);
  try {
    if (findOwnFolder(folder) === null)
      throw new Error(`${folder} is no folder of a managed table or volume`);
    await requireManagedRoot(services, rootOfOwnFolder(folder));
    if ((await findRealPlace(parent)) !== parent) throw new Error(`${parent} is a link to elsewhere`);
  } catch (error) {
    services.log.warn({ err: error, folder }, 'files of a dropped table or volume stay');
    return;
  }
  await fs.rm(folder, { recursive: true, force: true });
}
