/** What `headrace backup` and `headrace restore` start: the server's program, which knows the store, as a short task. */
import path from 'node:path';
import type { Logger } from 'pino';
import type { Config } from '../config.ts';
import { StartError } from '../start-error.ts';
import { layOut } from '../store/state-folder.ts';
import { tellOfSecrets } from './backup-secrets.ts';
import type { Manifest } from './manifest.ts';
import { restoreBackup } from './restore-backup.ts';
import { writeBackup } from './write-backup.ts';

const missedShown = 5;

/** Null when the arguments ask for none of them. Resolves with what to tell people. */
export function findBackupCommand(
  args: readonly string[],
): ((services: { config: Config; log: Logger; version: string; nowMs: number }) => Promise<string>) | null {
  const [command, where, option] = args;
  if (command !== 'backup' && command !== 'restore') return null;
  if (where === undefined) throw new StartError(`${command} needs a folder or a file`);
  const place = path.resolve(where);
  if (command === 'backup')
    return async (services) => {
      const withSecretsKey = option === '--with-secrets-key';
      const manifest = await writeBackup({ ...services, to: place, withSecretsKey });
      const told = tellOfSecrets(manifest, { isRestored: false, file: keyFileOf(services.config) });
      return joinLines(describe('backed up to', place, manifest), told);
    };
  return async ({ config, log }) => {
    const manifest = await restoreBackup({ config, log, from: place });
    const told = tellOfSecrets(manifest, { isRestored: true, file: keyFileOf(config) });
    return joinLines(describe('restored from', place, manifest), told);
  };
}

const keyFileOf = ({ secretsKeyFile, stateDir }: Config) => secretsKeyFile ?? layOut(stateDir).secretsKeyFile;

const joinLines = (...lines: readonly (string | null)[]) => lines.filter((line) => line !== null).join('\n');

function describe(done: string, place: string, { tables, files, has_bucket, made_at }: Manifest): string {
  const rows = tables.reduce((sum, table) => sum + table.rows, 0);
  const mebibytes = (files.bytes / 1024 ** 2).toFixed(1);
  const lines = [
    `${done} ${place}: ${rows} rows of ${tables.length} tables, ${files.count} files (${mebibytes} MiB), as of ${made_at}`,
  ];
  if (files.missed.length > 0) {
    const some = files.missed.slice(0, missedShown).join(', ');
    lines.push(`${files.missed.length} files went away while it was made: ${some}`);
  }
  if (has_bucket) lines.push('blobs in the bucket are not part of it: the bucket keeps them');
  return lines.join('\n');
}
