/** The state folder: what this server keeps between starts, and how others on this machine find it. */
import crypto from 'node:crypto';
import fs from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { StartError } from '../start-error.ts';

const StateSettings = z.looseObject({
  /** Picked when the port was to be a free one. */
  port: z.int().min(1).max(65_535).optional(),
  /** With TLS, of the listener that only this machine reaches: tasks that outlive a restart know it. */
  local_port: z.int().min(1).max(65_535).optional(),
  /** The same id after a restart takes the same attempts back. */
  worker_id: z.string().min(1),
});
export type StateSettings = z.output<typeof StateSettings>;

export interface StateFolder {
  readonly folder: string;
  readonly dataRoot: string;
  readonly hostsFolder: string;
  readonly postgresFolder: string;
  /** Unless the settings name another. */
  readonly secretsKeyFile: string;
}

export function layOut(folder: string): StateFolder {
  return {
    folder,
    dataRoot: path.join(folder, 'data'),
    hostsFolder: path.join(folder, 'hosts'),
    postgresFolder: path.join(folder, 'postgres'),
    secretsKeyFile: path.join(folder, 'secrets.key'),
  };
}

export async function readStateSettings({ folder }: StateFolder): Promise<StateSettings> {
  try {
    const text = await fs.readFile(path.join(folder, 'settings.json'), 'utf8');
    return StateSettings.parse(JSON.parse(text));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
      throw new StartError(`${folder}/settings.json cannot be read: repair or remove it`, { cause: error });
    }
    const fresh = { worker_id: `worker-${crypto.randomBytes(6).toString('hex')}` };
    await writeStateSettings(layOut(folder), fresh);
    return fresh;
  }
}

export function writeStateSettings({ folder }: StateFolder, settings: StateSettings): Promise<void> {
  return writeWhole(path.join(folder, 'settings.json'), settings);
}

export interface ServerFile {
  readonly url: string;
  readonly token: string;
  readonly pid: number;
  /** With TLS: for processes of this machine, which need to trust nothing then. */
  readonly local_url?: string;
  /** With TLS by the folder's own authority: whom to trust. */
  readonly ca_file?: string | null;
}

/** Tells the CLI where the server is and how to sign in; it goes when the server stops. */
export function writeServerFile({ folder }: StateFolder, server: ServerFile): Promise<void> {
  return writeWhole(path.join(folder, 'server.json'), server);
}

export function removeServerFile({ folder }: StateFolder): Promise<void> {
  return fs.rm(path.join(folder, 'server.json'), { force: true });
}

/** Readers see the old document or the new one; nobody else may read either. */
async function writeWhole(file: string, document: unknown): Promise<void> {
  const draft = `${file}.${process.pid}.new`;
  await fs.writeFile(draft, `${JSON.stringify(document, null, 2)}\n`, { mode: 0o600 });
  await fs.rename(draft, file);
}
