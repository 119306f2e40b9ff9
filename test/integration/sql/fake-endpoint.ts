/** Plays the part of a SQL endpoint: its attempt hangs on the fake backend, and this asks with the attempt's own token. */
import fs from 'node:fs/promises';
import path from 'node:path';
import { type Client, createClient } from '@headrace/api';
import { waitUntil } from '../../support/census.ts';
import type { TestServer } from '../../support/server.ts';

type Answer = Awaited<ReturnType<Client['sqlEndpointPoll']>>;

export interface FakeEndpoint {
  readonly client: Client;
  readonly token: string;
  /** What is given within the time. */
  poll(more?: {
    held?: string[];
    cancelling?: string[];
    waitMs?: number;
    sessions?: string[];
  }): Promise<Answer>;
  succeed(statementId: string, rows: readonly (readonly (string | null)[])[]): Promise<void>;
  end(statementId: string, state: 'FAILED' | 'CANCELED', message?: string): Promise<void>;
}

/** Of the attempt that was made last, or of one whose token is known. */
export async function becomeEndpoint(
  server: TestServer,
  known: { readonly token?: string; readonly poll?: number; readonly after?: string } = {},
): Promise<FakeEndpoint> {
  const folder = path.join(server.stateDir, 'data', 'attempts');
  let token = known.token ?? '';
  // The attempt's folder is there before its claim is stored; a token that is shown earlier is remembered as unknown.
  await waitUntil('an endpoint was started', async () => {
    if (known.token !== undefined) return true;
    const found = await findEndpoint(folder);
    if (found === null || found.token === known.after) return false;
    token = found.token;
    const { rows } = await server.database.pool.query(
      `select from task_runs where attempt_id = $1 and state = 'running'`,
      [found.attemptId],
    );
    return rows.length > 0;
  });
  const client = createClient({ baseUrl: server.url, token });
  let poll = known.poll ?? 0;
  return {
    client,
    token,
    poll: ({ held = [], cancelling = [], waitMs = 5_000, sessions } = {}) => {
      poll += 1;
      const question = { poll, held, cancelling, room: 10, wait_ms: waitMs };
      return client.sqlEndpointPoll({ ...question, ...(sessions && { sessions }) });
    },
    async succeed(statement_id, rows) {
      const content = Buffer.from(JSON.stringify(rows));
      const chunk = {
        row_count: rows.length,
        byte_count: content.length,
        content: content.toString('base64'),
      };
      const column = { position: 0, precision: null, scale: null, interval_type: null, nullable: true };
      await client.sqlEndpointDeliver({
        ...{ statement_id, state: 'SUCCEEDED', timings: { execution_ms: 1 } },
        result: {
          columns: [{ name: 'a', type_text: 'INT', type_name: 'INT', ...column }],
          arrow_schema: '',
          total_rows: rows.length,
          total_bytes: content.length,
          truncated: false,
          chunks: [chunk],
        },
      });
    },
    async end(statement_id, state, message = 'it went wrong') {
      const error = { code: 'BAD_REQUEST', message, sql_state: '42601', error_class: 'X', position: null };
      await client.sqlEndpointDeliver({
        statement_id,
        state,
        timings: {},
        ...(state === 'FAILED' && { error }),
      });
    },
  };
}

async function findEndpoint(folder: string): Promise<{ token: string; attemptId: number } | null> {
  const files = await fs.readdir(folder, { recursive: true }).catch(() => []);
  const found = files.filter((file) => file.endsWith('attempt.json')).sort();
  const last = found.at(-1);
  if (last === undefined) return null;
  const document = JSON.parse(await fs.readFile(path.join(folder, last), 'utf8')) as {
    attempt_id: number;
    task: { kind: string };
    api: { token: string };
  };
  if (document.task.kind !== 'sql_endpoint') return null;
  return { token: document.api.token, attemptId: document.attempt_id };
}
