/** A second principal: there is no interface for people yet, so the row is made by hand. */
import { type Client, createClient } from '@headrace/api';
import { createPersonalToken } from '../../../packages/server/src/tokens/personal-tokens.ts';
import { insertPrincipal } from '../../../packages/server/src/tokens/store.ts';
import type { TestServer } from '../../support/server.ts';

export interface TestUser {
  readonly id: number;
  readonly userName: string;
  readonly token: string;
  readonly client: Client;
}

export async function addUser(server: TestServer, userName: string): Promise<TestUser> {
  const { db, ids } = server.services;
  const nowMs = Date.now();
  const principal = { id: ids.newId(), userName, isAdmin: false };
  await insertPrincipal(db, { ...principal, displayName: userName, createdAtMs: nowMs });
  const { token_value: token } = await createPersonalToken(db, { principal, nowMs });
  return { id: principal.id, userName, token, client: createClient({ baseUrl: server.url, token }) };
}

export const base64 = (text: string) => Buffer.from(text).toString('base64');
