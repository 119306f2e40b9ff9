/**
 * Which data root belongs to a store: an id in a file below it, and the same id among the facts of the workspace. A
 * server that came with another folder would run the tasks of the others without their files, and keep its own from them.
 */
import crypto from 'node:crypto';
import fs from 'node:fs/promises';
import path from 'node:path';
import type { Querier } from '../db/connect.ts';
import { StartError } from '../start-error.ts';
import { ensureDataRootId, findDataRootId } from '../status/workspace-facts.ts';

const fileName = '.headrace-data-root';

export interface DataRootOptions {
  readonly db: Querier;
  readonly dataRoot: string;
  /** Nobody else can use the store: a file that was lost is made anew. */
  readonly isAlone: boolean;
}

/** The first server of a store decides; the file is there before its id is recorded, so a crash between is mended. */
export async function claimDataRoot({ db, dataRoot, isAlone }: DataRootOptions): Promise<void> {
  const file = path.join(dataRoot, fileName);
  const before = await findDataRootId(db);
  let own = await readId(file);
  if (own === null && (before === null || isAlone)) own = await makeId(file, before ?? crypto.randomUUID());
  const recorded = own === null ? before : await ensureDataRootId(db, own);
  if (own !== null && own === recorded) return;
  const found = own === null ? 'it has no' : 'it has another id in';
  throw new StartError(
    `${dataRoot} is not the data root of the servers that share this database (${found} ${fileName}): link it to the ` +
      `folder that they use, which must be reachable under the same path on every machine. If it is that folder and ` +
      `only lost the file, write ${recorded} into ${file}`,
  );
}

async function readId(file: string): Promise<string | null> {
  try {
    return (await fs.readFile(file, 'utf8')).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new StartError(`${file} cannot be read: the data root must be the server's own`, { cause: error });
  }
}

/** That of the first of several; whole, or not there. */
async function makeId(file: string, id: string): Promise<string | null> {
  const draft = `${file}.${crypto.randomUUID()}`;
  await fs.writeFile(draft, `${id}\n`, { mode: 0o644, flush: true });
  try {
    await fs.link(draft, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await fs.rm(draft, { force: true });
  }
  return readId(file);
}
