/** Folders that were chosen for managed tables, until these are known by name. */
import type { Querier } from '../db/connect.ts';

export async function insertChosen(
  db: Querier,
  { folder, attemptId }: { folder: string; attemptId: number | null },
  nowMs: number,
): Promise<void> {
  await db.query({
    name: 'insert-chosen-folder',
    text: 'insert into chosen_folders (folder, attempt_id, chosen_at_ms) values ($1, $2, $3)',
    values: [folder, attemptId, nowMs],
  });
}

/** It has a name now; with it, in one transaction. */
export async function deleteChosen(db: Querier, spellings: readonly string[]): Promise<void> {
  await db.query({
    name: 'delete-chosen-folder',
    text: 'delete from chosen_folders where folder = any($1)',
    values: [spellings],
  });
}

/** Those that nobody will name any more: of tasks that have ended, and of others that were chosen long ago. */
export async function takeAbandoned(
  db: Querier,
  { untilMs, longAgoMs, limit }: { untilMs: number; longAgoMs: number; limit: number },
): Promise<string[]> {
  const rows = await db.query<{ folder: string }>({
    name: 'take-abandoned-folders',
    text: `
      delete from chosen_folders
      where id in (
        select f.id from chosen_folders f
        where f.chosen_at_ms <= $1
          and case when f.attempt_id is null then f.chosen_at_ms <= $2
            else not exists (
              select 1 from task_runs t
              where t.attempt_id = f.attempt_id and (t.state <> 'ended' or t.ended_at_ms > $1)) end
        order by f.chosen_at_ms
        limit $3
        for update skip locked
      )
      returning folder`,
    values: [untilMs, longAgoMs, limit],
  });
  return rows.map(({ folder }) => folder);
}

export async function isDiscarded(db: Querier, keys: readonly string[]): Promise<boolean> {
  const rows = await db.query({
    name: 'is-folder-to-delete',
    text: 'select 1 from folders_to_delete where folder = any($1) limit 1',
    values: [keys],
  });
  return rows.length > 0;
}
