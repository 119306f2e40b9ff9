import type { Querier } from '../db/connect.ts';

export interface HandleRow {
  readonly id: number;
  readonly principalId: number;
  readonly path: string;
  readonly overwrite: boolean;
  /** Written by blocks that succeeded, answered or not; what lies beyond is of one that failed. */
  readonly sizeBytes: number;
}

const columns = `id, principal_id as "principalId", path, overwrite, size_bytes as "sizeBytes"`;

export async function insertHandle(
  db: Querier,
  row: Omit<HandleRow, 'id' | 'sizeBytes'>,
  nowMs: number,
): Promise<number> {
  const [made] = await db.query<{ id: number }>({
    name: 'insert-dbfs-handle',
    text: `
      insert into dbfs_handles (principal_id, path, overwrite, size_bytes, used_at_ms)
      values ($1, $2, $3, 0, $4)
      returning id`,
    values: [row.principalId, row.path, row.overwrite, nowMs],
  });
  if (!made) throw new Error('bug: an insert returned nothing');
  return made.id;
}

export async function lockHandle(
  db: Querier,
  { id, principalId }: Pick<HandleRow, 'id' | 'principalId'>,
): Promise<HandleRow | null> {
  const rows = await db.query<HandleRow>({
    name: 'lock-dbfs-handle',
    text: `select ${columns} from dbfs_handles where id = $1 and principal_id = $2 for update`,
    values: [id, principalId],
  });
  return rows[0] ?? null;
}

export async function countHandles(db: Querier, principalId: number): Promise<number> {
  const rows = await db.query<{ count: number }>({
    name: 'count-dbfs-handles',
    text: 'select count(*) as count from dbfs_handles where principal_id = $1',
    values: [principalId],
  });
  return rows[0]?.count ?? 0;
}

export async function updateHandle(
  db: Querier,
  { id, sizeBytes }: Pick<HandleRow, 'id' | 'sizeBytes'>,
  nowMs: number,
): Promise<void> {
  await db.query({
    name: 'update-dbfs-handle',
    text: 'update dbfs_handles set size_bytes = $2, used_at_ms = $3 where id = $1',
    values: [id, sizeBytes, nowMs],
  });
}

export async function deleteHandle(db: Querier, id: number): Promise<void> {
  await db.query({
    name: 'delete-dbfs-handle',
    text: 'delete from dbfs_handles where id = $1',
    values: [id],
  });
}

export async function lockIdleHandles(db: Querier, beforeMs: number, limit: number): Promise<HandleRow[]> {
  return db.query<HandleRow>({
    name: 'lock-idle-dbfs-handles',
    text: `
      select ${columns} from dbfs_handles
      where used_at_ms < $1
      order by used_at_ms
      limit $2
      for update skip locked`,
    values: [beforeMs, limit],
  });
}
