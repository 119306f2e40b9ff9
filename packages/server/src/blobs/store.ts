import type { Querier } from '../db/connect.ts';

export async function insertDiscarded(db: Querier, folder: string, nowMs: number): Promise<void> {
  await db.query({
    name: 'insert-folder-to-delete',
    text: 'insert into folders_to_delete (folder, requested_at_ms) values ($1, $2) on conflict (folder) do nothing',
    values: [folder, nowMs],
  });
}

export async function deleteDiscarded(db: Querier, folder: string): Promise<void> {
  await db.query({
    name: 'delete-folder-to-delete',
    text: 'delete from folders_to_delete where folder = $1',
    values: [folder],
  });
}

export async function listDiscarded(
  db: Querier,
  beforeMs: number,
  { limit, offset }: { limit: number; offset: number },
): Promise<string[]> {
  const rows = await db.query<{ folder: string }>({
    name: 'list-folders-to-delete',
    text: 'select folder from folders_to_delete where requested_at_ms < $1 order by requested_at_ms, folder limit $2 offset $3',
    values: [beforeMs, limit, offset],
  });
  return rows.map(({ folder }) => folder);
}
