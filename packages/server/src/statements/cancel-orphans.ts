/**
 * A task that was killed cannot cancel what it has under way in a warehouse: this does. What a task that succeeded has
 * left there goes on; it may have meant to.
 */
import type { Services } from '../services.ts';
import type { Bell } from './bell.ts';
import type { StoredError } from './rows.ts';
import { bellName } from './serve-endpoint.ts';
import { requestCancel } from './store.ts';
import { deleteOrphanedSessions, findOrphanedStatements } from './task-store.ts';

const atOnceMax = 200;
const endedWithTask: StoredError = {
  ...{ code: 'CANCELLED', message: 'The task that sent the statement has ended.' },
  ...{ sql_state: 'HY008', error_class: null, position: null },
};

export async function cancelOrphans({
  db,
  clock,
  bell,
}: Pick<Services, 'db' | 'clock'> & { readonly bell: Bell }): Promise<void> {
  for (const orphan of await findOrphanedStatements(db, atOnceMax)) {
    const { statementId } = orphan;
    await requestCancel(db, statementId, { nowMs: clock.nowMs(), error: endedWithTask });
    bell.ring(`statement ${statementId}`);
    bell.ring(bellName(orphan));
  }
  await deleteOrphanedSessions(db, atOnceMax);
}
