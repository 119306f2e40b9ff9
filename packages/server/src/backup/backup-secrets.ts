/**
 * What a backup says of secrets: the tables hold them sealed, and the key is no part of it unless it is asked for, so
 * that whoever finds a backup cannot read them. Without the key a restored server cannot either.
 */
import fs from 'node:fs';
import path from 'node:path';
import type pg from 'pg';
import { retiredFile } from '../secrets/key-file.ts';
import { StartError } from '../start-error.ts';
import { readDumpedColumn } from './dump-tables.ts';
import type { Manifest } from './manifest.ts';

export const keyFileInBackup = 'secrets.key';

export async function describeSecrets(client: pg.Client, hasKey: boolean): Promise<Manifest['secrets']> {
  // A store that was never started with this release has no such tables.
  const { rows: tables } = await client.query("select to_regclass('secret_key') is not null as found");
  if (!tables[0]?.found) return undefined;
  const { rows } = await client.query<{ count: number; fingerprint: string | null }>(
    'select (select count(*)::integer from secrets) as count, (select fingerprint from secret_key) as fingerprint',
  );
  const { count = 0, fingerprint = null } = rows[0] ?? {};
  return { count, fingerprint, has_key: hasKey };
}

/** False where the server has none. After the tables: a key is made before what it seals. */
export function copyKey(file: string, draft: string, tables: Manifest['tables']): boolean {
  if (!fs.existsSync(file)) return false;
  // A change of keys may end between the copy of the tables and this: what they need comes along, also retired.
  const column = 'fingerprint';
  const needed = ['retiring_secret_keys', 'secret_key'].flatMap((table) =>
    readDumpedColumn(draft, tables, { table, column }),
  );
  const retired = needed.map((fingerprint) => retiredFile(file, fingerprint));
  const lines = [...retired.filter((each) => fs.existsSync(each)), file].flatMap((from) => readLines(from));
  const text = [...new Set(lines)].map((line) => `${line}\n`).join('');
  fs.writeFileSync(path.join(draft, keyFileInBackup), text, { mode: 0o600, flag: 'wx' });
  return true;
}

function readLines(file: string): string[] {
  const lines = fs.readFileSync(file, 'utf8').split('\n');
  return lines.map((line) => line.trim()).filter((line) => line !== '');
}

/** Where the restored server looks for it, unless there is one already. */
export function restoreKey(folder: string, file: string): void {
  const copy = path.join(folder, keyFileInBackup);
  if (!fs.existsSync(copy)) return;
  if (fs.existsSync(file)) {
    const there = new Set(readLines(file));
    if (readLines(copy).every((line) => there.has(line))) return;
    throw new StartError(
      `${file} exists and is not the key of this backup: move it away, or name another file`,
    );
  }
  fs.mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  fs.copyFileSync(copy, file, fs.constants.COPYFILE_EXCL);
  fs.chmodSync(file, 0o600);
}

/** For whoever makes or restores a backup; null when there is nothing to say. */
export function tellOfSecrets(
  { secrets }: Pick<Manifest, 'secrets'>,
  { isRestored, file }: { readonly isRestored: boolean; readonly file: string },
): string | null {
  if (secrets === undefined || secrets.count === 0) return null;
  const { count, fingerprint, has_key: hasKey } = secrets;
  const what = `${count} secret${count === 1 ? '' : 's'}, sealed with key ${fingerprint}`;
  if (hasKey) {
    return isRestored
      ? `${what}, which is restored too`
      : `${what}, which is in it too: whoever has the backup can read them`;
  }
  if (!isRestored) return `${what}, which is not in it: keep a copy of ${file}, or take --with-secrets-key`;
  return `${what}, which is not in the backup: without that key's file in ${file} they are lost; their scopes can then be deleted and filled anew`;
}
