/**
 * A backup while the server runs: first the tables, out of one snapshot, then the files. Files only come after the
 * rows that name them have been read, so every file that a row names is there, as it was then or later.
 */
import fs from 'node:fs';
import path from 'node:path';
import type { Logger } from 'pino';
import type { Config } from '../config.ts';
import { StartError } from '../start-error.ts';
import { layOut, readStateSettings } from '../store/state-folder.ts';
import { isArchive, packArchive } from './archive.ts';
import { copyKey, describeSecrets } from './backup-secrets.ts';
import { copyFiles } from './copy-files.ts';
import { dumpTables } from './dump-tables.ts';
import { backupLockKey, filesFolder, type Manifest, manifestName } from './manifest.ts';
import { openStore } from './open-store.ts';

export interface BackupOptions {
  readonly config: Config;
  readonly log: Logger;
  readonly version: string;
  /** A folder that does not exist or is empty, or a file that ends in .tar, .tar.gz or .tgz. */
  readonly to: string;
  readonly nowMs: number;
  readonly withSecretsKey: boolean;
}

export async function writeBackup(options: BackupOptions): Promise<Manifest> {
  const { to, config } = options;
  refuseUsed(to);
  if (!fs.existsSync(path.join(config.stateDir, 'settings.json')))
    throw new StartError(`${config.stateDir} is no state folder of a server: name another with --state-dir`);
  const draft = `${to}.partial`;
  fs.rmSync(draft, { recursive: true, force: true });
  fs.mkdirSync(draft, { recursive: true, mode: 0o700 });
  try {
    const manifest = await fill(draft, options);
    if (isArchive(to)) await packArchive(draft, to);
    else {
      fs.rmSync(to, { recursive: true, force: true }); // Empty, as was seen above.
      fs.renameSync(draft, to);
    }
    return manifest;
  } finally {
    fs.rmSync(draft, { recursive: true, force: true });
  }
}

function refuseUsed(to: string): void {
  const stat = fs.statSync(to, { throwIfNoEntry: false });
  if (!stat) return;
  if (stat.isDirectory() && !isArchive(to) && fs.readdirSync(to).length === 0) return;
  throw new StartError(`${to} exists: a backup goes to a new name or into an empty folder`);
}

async function fill(
  draft: string,
  { config, log, version, nowMs, withSecretsKey }: BackupOptions,
): Promise<Manifest> {
  const state = layOut(config.stateDir);
  const dataRoot = fs.realpathSync(state.dataRoot);
  const store = await openStore(config, log);
  try {
    // From before the snapshot until the files are copied: what the rows name must not be purged in between.
    await store.client.query('select pg_advisory_lock($1)', [backupLockKey]);
    const tables = await dumpTables(store.client, draft);
    const keyFile = config.secretsKeyFile ?? state.secretsKeyFile;
    const hasKey = withSecretsKey && copyKey(keyFile, draft, tables.tables);
    const secrets = await describeSecrets(store.client, hasKey);
    const files = await copyFiles(dataRoot, path.join(draft, filesFolder), isLeftOut);
    const { worker_id } = await readStateSettings(state);
    const manifest: Manifest = {
      format: 1,
      headrace_version: version,
      made_at: new Date(nowMs).toISOString(),
      ...tables,
      worker_id,
      data_root: dataRoot,
      files: { ...files },
      has_bucket: config.blobUrl !== null,
      secrets,
    };
    const file = path.join(draft, manifestName);
    fs.writeFileSync(file, `${JSON.stringify(manifest, null, 2)}\n`, { mode: 0o600 });
    return manifest;
  } finally {
    await store.close();
  }
}

/**
 * Files on their way out; files on their way in; libraries, which are installed anew when a task wants them; the
 * working folders of attempts, which nothing reads after their end.
 */
function isLeftOut(relative: string): boolean {
  const parts = relative.split(path.sep);
  if (parts.length === 1 && ['trash', 'libraries', 'git'].includes(relative)) return true;
  // Checkouts are made again by the run that wants them.
  if (parts.slice(0, 3).join('/') === 'workspace/Repos/.internal') return true;
  if (parts[0] === 'attempts' && parts.length === 4 && parts[3] === 'work') return true;
  return parts.at(-1)?.startsWith('.headrace-draft-') ?? false;
}
