import { ApiError, type InstancePoolDocument, type InstancePoolFields } from '@headrace/api';
import type { Querier } from '../db/connect.ts';
import { findPoolRow, listCountedPools } from './store.ts';
import { toPoolDocument } from './wire.ts';

const listedMax = 1_000;

export function noSuchPool(poolId: string): ApiError {
  return new ApiError('RESOURCE_DOES_NOT_EXIST', `Instance pool ${poolId} does not exist`);
}

export async function getPool(db: Querier, poolId: string): Promise<InstancePoolDocument> {
  const [row] = await listCountedPools(db, poolId, 1);
  if (!row) throw noSuchPool(poolId);
  return toPoolDocument(row);
}

export async function listPools(db: Querier): Promise<InstancePoolDocument[]> {
  return (await listCountedPools(db, null, listedMax)).map(toPoolDocument);
}

export interface Pool {
  readonly poolId: string;
  readonly fields: InstancePoolFields;
}

/** Null when there is none of this id. */
export function findPool(db: Querier, poolId: string): Promise<Pool | null> {
  return findPoolRow(db, poolId);
}
