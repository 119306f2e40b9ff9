/** Tokens that administrators make for workers on other machines. */
import { ApiError, type TokenInfo } from '@headrace/api';
import type { Principal } from '../context.ts';
import type { Querier } from '../db/connect.ts';
import { createToken, toTokenInfo } from './personal-tokens.ts';
import { deleteWorkerToken, listWorkerTokens } from './store.ts';

/** One for each machine of the largest installation that one administrator can look after. */
const workerTokensMax = 1_000;

export async function createWorkerToken(
  db: Querier,
  request: {
    principal: Principal;
    comment: string | undefined;
    lifetimeSeconds: number | undefined;
    nowMs: number;
  },
): Promise<{ token_value: string; token_info: TokenInfo }> {
  const { principal, comment = '', lifetimeSeconds, nowMs } = request;
  if ((await listWorkerTokens(db, workerTokensMax)).length >= workerTokensMax) {
    throw new ApiError(
      'INVALID_STATE',
      `there are ${workerTokensMax} tokens of workers: delete those that no worker uses any more`,
    );
  }
  const expiresAtMs = lifetimeSeconds === undefined ? null : nowMs + lifetimeSeconds * 1000;
  return createToken(db, { principal, comment, nowMs, expiresAtMs, kind: 'worker' });
}

export async function listTokensOfWorkers(db: Querier): Promise<TokenInfo[]> {
  return (await listWorkerTokens(db, workerTokensMax)).map(toTokenInfo);
}

export async function revokeWorkerToken(db: Querier, id: string): Promise<void> {
  if (await deleteWorkerToken(db, id)) return;
  throw new ApiError('RESOURCE_DOES_NOT_EXIST', `Token ${id} of a worker does not exist.`);
}
