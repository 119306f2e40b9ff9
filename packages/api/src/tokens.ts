/** Access tokens of the caller. */
import { z } from 'zod';
import { route } from './route.ts';
import { epochMs, Nothing, wireIntBetween } from './wire.ts';

/** Ten years; a token that should live longer is better made anew. */
export const tokenLifetimeSecondsMax = 10 * 365 * 24 * 3_600;

export const TokenInfo = z.looseObject({
  token_id: z.string(),
  comment: z.string().optional(),
  creation_time: epochMs,
  /** -1: never. */
  expiry_time: epochMs,
});
export type TokenInfo = z.output<typeof TokenInfo>;

export const tokensCreate = route({
  method: 'POST',
  path: '/api/2.0/token/create',
  summary: 'Makes a token; its value is shown only now.',
  request: z.object({
    comment: z.string().max(1_000).optional(),
    lifetime_seconds: wireIntBetween({ min: 1, max: tokenLifetimeSecondsMax }).optional(),
  }),
  response: z.looseObject({ token_value: z.string(), token_info: TokenInfo }),
  permission: 'user',
  audit: 'tokens.create',
});

export const tokensList = route({
  method: 'GET',
  path: '/api/2.0/token/list',
  summary: "Lists the caller's tokens, without their values.",
  request: z.object({}),
  response: z.looseObject({ token_infos: z.array(TokenInfo).optional() }),
  permission: 'user',
  audit: 'tokens.list',
});

export const tokensDelete = route({
  method: 'POST',
  path: '/api/2.0/token/delete',
  summary: 'Revokes a token.',
  request: z.object({ token_id: z.string().min(1).max(255) }),
  response: Nothing,
  permission: 'user',
  audit: 'tokens.delete',
});
