/**
 * Checkouts and mirrors that nothing has used for a while go; the next run that wants one has it made anew. A checkout
 * that a run which has not ended may read stays, however old, and so does what was used within the hour.
 */
import fs from 'node:fs/promises';
import path from 'node:path';
import type { Loop } from '../loops/driver.ts';
import type { Services } from '../services.ts';
import { internalFolder } from '../workspace/workspace-path.ts';
import { commitsOf, draftPrefix, mirrorsRoot } from './checkouts.ts';
import { notesFolder } from './lfs-pointers.ts';
import { removeTree } from './read-only-tree.ts';
import { findCommitsInUse } from './store.ts';

const everyMs = 3_600_000;
/** A commit that is run once a day stays. */
export const checkoutsKeptMs = 3 * 24 * 3_600_000;
/** More than these, the least recently used go sooner. */
export const checkoutsMax = 500;
const inUseMs = 3_600_000;
/** They are larger to fetch than to keep. */
const mirrorsKeptMs = 30 * 24 * 3_600_000;
/** No checkout takes as long. */
const draftsKeptMs = 24 * 3_600_000;

interface Entry {
  readonly folder: string;
  readonly name: string;
  readonly usedAtMs: number;
}

export function createGitRetentionLoop({ db, blobs, clock, log }: Services): Loop {
  const checkoutsRoot = blobs.locate(`workspace${internalFolder}`);
  const mirrors = blobs.locate(mirrorsRoot);
  return {
    name: 'git-checkouts',
    everyMs,
    async turn() {
      const nowMs = clock.nowMs();
      const repositories = await listEntries(checkoutsRoot);
      const checkouts = (await Promise.all(repositories.map(({ folder }) => listEntries(folder)))).flat();
      const whole = checkouts
        .filter(({ name }) => !name.startsWith('.'))
        .sort((a, b) => b.usedAtMs - a.usedAtMs);
      const old = whole.filter(
        ({ usedAtMs }, index) =>
          usedAtMs < nowMs - checkoutsKeptMs || (index >= checkoutsMax && usedAtMs < nowMs - inUseMs),
      );
      const inUse = new Set(
        await findCommitsInUse(
          db,
          old.map(({ name }) => commitOf(name)),
        ),
      );
      const drafts = [...checkouts, ...(await listEntries(mirrors))].filter(
        ({ name, usedAtMs }) => name.startsWith('.') && usedAtMs < nowMs - draftsKeptMs,
      );
      const unused = old.filter(({ name }) => !inUse.has(commitOf(name)));
      for (const entry of unused) await removeAside(entry);
      for (const { folder } of drafts) await removeTree(folder);
      for (const entry of await listEntries(mirrors)) {
        if (entry.usedAtMs < nowMs - mirrorsKeptMs) await removeAside(entry);
        else {
          await removeLeftovers(entry.folder, nowMs);
          await removeNotes(entry, path.join(checkoutsRoot, commitsOf(entry.name)), nowMs);
        }
      }
      if (unused.length > 0)
        log.info({ checkouts: unused.length }, 'checkouts that nothing uses were removed');
      return 'idle';
    },
  };
}

/** The name of a checkout of some folders goes on after the commit. */
const commitOf = (name: string) => name.split('-', 1)[0] ?? name;

/** Aside first: whoever looks finds it whole or not at all. */
async function removeAside({ folder, name, usedAtMs }: Entry): Promise<void> {
  // Somebody may have begun to use it since it was listed.
  const again = await fs.stat(folder).catch(() => null);
  if (again === null || again.mtimeMs > usedAtMs) return;
  const aside = path.join(path.dirname(folder), `${draftPrefix}removed-${name}`);
  await removeTree(aside);
  await fs.rename(folder, aside);
  await removeTree(aside);
}

/** What a fetch that was cut short left in a mirror. */
async function removeLeftovers(mirror: string, nowMs: number): Promise<void> {
  for (const { folder, name, usedAtMs } of await listEntries(path.join(mirror, 'objects', 'pack'))) {
    if (name.startsWith('tmp_') && usedAtMs < nowMs - draftsKeptMs) await fs.rm(folder, { force: true });
  }
}

/** On checkouts that are gone: of one that is made again, a note is made again. It is written before its checkout is. */
async function removeNotes({ folder }: Entry, checkouts: string, nowMs: number): Promise<void> {
  const there = new Set((await listEntries(checkouts)).map(({ name }) => name));
  for (const note of await listEntries(path.join(folder, notesFolder))) {
    if (!there.has(note.name) && note.usedAtMs < nowMs - inUseMs) await fs.rm(note.folder, { force: true });
  }
}

async function listEntries(folder: string): Promise<Entry[]> {
  const names = await fs.readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return [];
    throw error;
  });
  const entries: Entry[] = [];
  for (const name of names) {
    const file = path.join(folder, name);
    const stat = await fs.lstat(file).catch(() => null);
    if (stat !== null) entries.push({ folder: file, name, usedAtMs: stat.mtimeMs });
  }
  return entries;
}
