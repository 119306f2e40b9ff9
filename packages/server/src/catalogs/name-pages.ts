/** Lists by name, a page at a time: a token holds the last name of its page. */
import { catalogPageMax } from '@headrace/api';
import { z } from 'zod';
import { decodePageToken, encodePageToken } from '../http/page-token.ts';

const NamePosition = z.object({ name: z.string().min(1).max(255) });

export interface NamePage<Row> {
  readonly rows: readonly Row[];
  readonly next: { next_page_token?: string };
}

/** `list` is asked for one row more than the page holds: that row says whether there is another page. */
export async function readNamePage<Row extends { readonly name: string }>(
  request: { max_results: number; page_token: string },
  list: (page: { after: string; limit: number }) => Promise<Row[]>,
  sizeMax: number = catalogPageMax,
): Promise<NamePage<Row>> {
  const size = request.max_results === 0 ? sizeMax : Math.min(request.max_results, sizeMax);
  const after = decodePageToken(request.page_token, NamePosition)?.name ?? '';
  const found = await list({ after, limit: size + 1 });
  const rows = found.slice(0, size);
  const last = rows.at(-1);
  return {
    rows,
    next: found.length > size && last ? { next_page_token: encodePageToken({ name: last.name }) } : {},
  };
}
