import type { Loop } from '../loops/driver.ts';
import type { Services } from '../services.ts';
import { deleteAuditRowsBefore } from './store.ts';

/** Long enough for a yearly review; some 300 bytes a row. */
const keptMs = 400 * 24 * 3_600_000;
const everyMs = 3_600_000;
const rowsMax = 5_000;

/** Deletes audit rows that are older than they are kept. */
export function createAuditRetentionLoop({ db, clock }: Services): Loop {
  return {
    name: 'audit-retention',
    everyMs,
    async turn() {
      const deleted = await deleteAuditRowsBefore(db, clock.nowMs() - keptMs, rowsMax);
      return deleted === rowsMax ? 'again' : 'idle';
    },
  };
}
