/** Page tokens: opaque to clients, and refused when they are not ours. */
import { ApiError } from '@headrace/api';
import { z } from 'zod';

export function encodePageToken(position: unknown): string {
  return Buffer.from(JSON.stringify(position)).toString('base64url');
}

/** An empty token asks for the first page: null. */
export function decodePageToken<Schema extends z.ZodType>(
  token: string,
  schema: Schema,
): z.output<Schema> | null {
  if (token === '') return null;
  const parsed = schema.safeParse(parseJson(Buffer.from(token, 'base64url').toString('utf8')));
  if (!parsed.success) {
    throw new ApiError('INVALID_PARAMETER_VALUE', `page_token: '${token}' is not a token of this list`);
  }
  return parsed.data;
}

/** The last row of a page, in lists that are ordered by time and id. */
export const RowPosition = z.object({
  createdAtMs: z.int().min(0),
  id: z.int().min(1),
});

/** Where a page of a document's arrays begins. */
export const ElementPosition = z.object({ element: z.int().min(0) });

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
