import type { ServerStatus } from '@headrace/api';
import type { Querier } from '../db/connect.ts';

export async function countActiveRuns(db: Querier): Promise<ServerStatus['runs']> {
  const rows = await db.query<ServerStatus['runs']>({
    name: 'count-active-runs',
    text: `
      select count(*) filter (where phase = 'queued') as queued, count(*) filter (where phase <> 'queued') as running
      from runs
      where phase <> 'ended' and deleted_at_ms is null and run_type <> 'SQL_ENDPOINT'`,
    values: [],
  });
  return rows[0] ?? { queued: 0, running: 0 };
}
