/** Facts that are made once for a workspace and kept in its store. */
import crypto from 'node:crypto';
import type { Querier } from '../db/connect.ts';

/** A number as hosted workspaces have: clients send it back in a header, and some parse it. */
export function ensureWorkspaceId(db: Querier): Promise<string> {
  return ensureFact(db, 'workspace_id', String(crypto.randomInt(10 ** 12, 10 ** 14)));
}

/** Of the folder that all servers of this store use; null before the first of them has said. */
export function findDataRootId(db: Querier): Promise<string | null> {
  return findFact(db, 'data_root_id');
}

export function ensureDataRootId(db: Querier, proposal: string): Promise<string> {
  return ensureFact(db, 'data_root_id', proposal);
}

/** Where the servers of this store keep their blobs: the first bucket that one of them came with. */
export function ensureBucketPlace(db: Querier, proposal: string): Promise<string> {
  return ensureFact(db, 'bucket', proposal);
}

/** The value that the first of several starters stored. */
async function ensureFact(db: Querier, name: string, proposal: string): Promise<string> {
  await db.query({
    name: 'insert-workspace-fact',
    text: 'insert into workspace_facts (name, value) values ($1, to_jsonb($2::text)) on conflict (name) do nothing',
    values: [name, proposal],
  });
  return (await findFact(db, name)) ?? proposal;
}

async function findFact(db: Querier, name: string): Promise<string | null> {
  const rows = await db.query<{ value: string }>({
    name: 'find-workspace-fact',
    text: 'select value from workspace_facts where name = $1',
    values: [name],
  });
  return rows[0]?.value ?? null;
}
