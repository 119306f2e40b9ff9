/** Folders of external volumes: only below the locations that whoever runs the server allows, links resolved. */
import fs from 'node:fs/promises';
import path from 'node:path';
import { ApiError } from '@headrace/api';
import { isWithin } from '../blobs/is-within.ts';
import type { Services } from '../services.ts';

type Needed = Pick<Services, 'blobs' | 'config'>;

/** The real folder of a location that a caller named, or the reason why it may not be one. */
export async function checkExternalLocation(services: Needed, location: string | undefined): Promise<string> {
  if (!location) throw refused('is missing, an external volume needs a folder');
  const named = toLocalPath(location);
  if (named === null)
    throw refused(
      `"${location.slice(0, 200)}" is no folder of this server: write an absolute path, with or without file://`,
    );
  const real = await findRealFolder(named);
  // What lies outside is not told about, neither that it is there nor that it is not.
  if (!(await isAllowedLocation(services, real ?? path.resolve(named)))) {
    const known = services.config.externalLocations;
    throw refused(
      known.length === 0
        ? `this server allows none; HEADRACE_EXTERNAL_LOCATIONS names those that it does`
        : `"${location.slice(0, 200)}" is not below a location that this server allows: ${known.join(', ')}`,
    );
  }
  if (real === null) throw refused(`there is no folder "${location.slice(0, 200)}"`);
  return real;
}

/** Asked again at each use: what is a link today may lead elsewhere tomorrow. */
export async function isAllowedLocation({ blobs, config }: Needed, folder: string): Promise<boolean> {
  // The data root has files of everybody and everything: a volume around it or in it would show them.
  const dataRoot = path.dirname(blobs.locate('volumes'));
  if (isWithin(dataRoot, folder) || isWithin(folder, dataRoot)) return false;
  if (await holdsOwnState(config, folder)) return false;
  for (const allowed of config.externalLocations) {
    const root = await findRealFolder(allowed);
    if (root !== null && isWithin(root, folder)) return true;
  }
  return false;
}

/** The database, the keys and the settings of the server itself: who could write there would be the server. */
async function holdsOwnState(
  { stateDir, secretsKeyFile }: Needed['config'],
  folder: string,
): Promise<boolean> {
  const state = (await findRealFolder(stateDir)) ?? path.resolve(stateDir);
  if (isWithin(state, folder) || isWithin(folder, state)) return true;
  if (secretsKeyFile === null) return false;
  // The file that is read, and the place where another could be put.
  const keyFolder = (await findRealFolder(path.dirname(secretsKeyFile))) ?? path.dirname(secretsKeyFile);
  const keyFile = await fs.realpath(secretsKeyFile).catch(() => secretsKeyFile);
  return isWithin(folder, keyFolder) || isWithin(folder, keyFile);
}

function toLocalPath(location: string): string | null {
  const named = location.replace(/^file:(\/\/(?=\/))?/i, '');
  return named.startsWith('/') && !named.includes('\0') ? path.normalize(named) : null;
}

async function findRealFolder(named: string): Promise<string | null> {
  try {
    const real = await fs.realpath(named);
    return (await fs.stat(real)).isDirectory() ? real : null;
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (['ENOENT', 'ENOTDIR', 'EACCES', 'ELOOP', 'ENAMETOOLONG'].includes(code)) return null;
    throw error;
  }
}

const refused = (reason: string) => new ApiError('INVALID_PARAMETER_VALUE', `storage_location: ${reason}`);
