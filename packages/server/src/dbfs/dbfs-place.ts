/** Where paths of DBFS lie: below the folder of dbfs:/, or in the volume that they name. */
import fs from 'node:fs/promises';
import { ApiError } from '@headrace/api';
import { openFileTree } from '../files/file-tree.ts';
import { findPlace, type Place } from '../files/find-place.ts';
import type { Services } from '../services.ts';

/** Doubled slashes count as one, as in Hadoop's paths; what climbs is refused. */
export function parseDbfsPath(text: string): readonly string[] {
  const parts = text
    .replace(/^dbfs:/, '')
    .split('/')
    .filter((part) => part !== '');
  if (parts.some((part) => part === '.' || part === '..' || part.includes('\0')))
    throw new ApiError('INVALID_PARAMETER_VALUE', `path: "${text.slice(0, 200)}" climbs, and is refused`);
  return parts;
}

export async function findDbfsPlace(services: Services, text: string): Promise<Place> {
  const parts = parseDbfsPath(text);
  const shown = `/${parts.join('/')}`;
  if (parts[0] === 'Volumes') return findPlace(services, shown);
  const folder = services.blobs.locate('dbfs');
  await fs.mkdir(folder, { recursive: true });
  return { tree: openFileTree(await fs.realpath(folder), services.clock), parts, shown };
}
