/**
 * Parts of results come before the end of their statement. Where it then fails, is cancelled or loses its endpoint, or a
 * server dies while it forgets a result, they stay behind. So this looks at what lies there, whatever the way it came by.
 */
import path from 'node:path';
import type { Loop } from '../loops/driver.ts';
import type { Services } from '../services.ts';
import { resultsRoot } from './result-chunks.ts';
import { findWithResult } from './store.ts';

const everyMs = 600_000;
const foldersPerTurn = 200;

export function createResultFilesLoop({ db, blobs }: Pick<Services, 'db' | 'blobs'>): Loop {
  let left: string[] = [];
  return {
    name: 'result-files',
    everyMs,
    async turn() {
      if (left.length === 0) left = (await blobs.list(resultsRoot)).map(({ key }) => key);
      const some = left.splice(0, foldersPerTurn);
      // Asked after the listing: an end is final, so what has no result by now never gets one.
      const wanted = new Set(await findWithResult(db, some.map(toStatementId)));
      for (const key of some) if (!wanted.has(toStatementId(key))) await blobs.deletePrefix(key);
      return left.length > 0 ? 'again' : 'idle';
    },
  };
}

function toStatementId(key: string): string {
  return path.posix.basename(key);
}
