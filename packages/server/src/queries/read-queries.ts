import { ApiError, type QueryDocument, type RequestOf, type ResponseOf, type routes } from '@headrace/api';
import { z } from 'zod';
import type { Querier } from '../db/connect.ts';
import { decodePageToken, encodePageToken } from '../http/page-token.ts';
import { findQueryRow, listQueryRows } from './store.ts';
import { toQueryDocument } from './wire.ts';

const Position = z.object({ createdAtMs: z.int().min(0), queryId: z.string() });
/** Zero asks for it, as in other lists of the public API. */
const pageSizeDefault = 20;

export async function getQuery(db: Querier, queryId: string): Promise<QueryDocument> {
  const row = await findQueryRow(db, queryId);
  if (!row) throw noSuchQuery(queryId);
  return toQueryDocument(row);
}

export async function listQueries(
  db: Querier,
  { page_size, page_token }: RequestOf<typeof routes.queriesList>,
): Promise<ResponseOf<typeof routes.queriesList>> {
  const size = page_size === 0 ? pageSizeDefault : page_size;
  const rows = await listQueryRows(db, { after: decodePageToken(page_token, Position), limit: size + 1 });
  const page = rows.slice(0, size);
  const last = page.at(-1);
  return {
    results: page.map(toQueryDocument),
    ...(rows.length > size && last
      ? { next_page_token: encodePageToken({ createdAtMs: last.createdAtMs, queryId: last.queryId }) }
      : {}),
  };
}

export function noSuchQuery(queryId: string): ApiError {
  return new ApiError('RESOURCE_DOES_NOT_EXIST', `Query ${queryId} does not exist.`);
}
