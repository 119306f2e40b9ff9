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

/** Tables in which the text stands, as it is or as bytes. */
export async function findInTables(server: TestServer, text: string): Promise<string[]> {
  const { pool } = server.services.db;
  const { rows: tables } = await pool.query<{ name: string }>(
    `select relname as name from pg_class where relkind = 'r' and relnamespace = current_schema()::regnamespace`,
  );
  const hex = Buffer.from(text).toString('hex');
  const found: string[] = [];
  for (const { name } of tables) {
    const { rows } = await pool.query<{ text: string }>(`select t::text as text from "${name}" t`);
    if (rows.some((row) => row.text.includes(text) || row.text.includes(hex))) found.push(name);
  }
  return found;
}
