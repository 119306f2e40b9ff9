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

/** Of the attempt that began last, for a principal where there are several; or of one whose token is known. */
export async function becomeEndpoint(
  server: TestServer,
  known: {
    readonly token?: string;
    readonly poll?: number;
    readonly after?: string;
    readonly principalId?: number;
  } = {},
): Promise<FakeEndpoint> {
  const folder = path.join(server.stateDir, 'data', 'attempts');
  let token = known.token ?? '';
  // A folder is there before its claim is stored, and stays where the claim came to nothing: two who saw the same statement
  // both begin an endpoint, and one of them wins. A token that is shown too early is remembered as unknown.
  await waitUntil('an endpoint was started', async () => {
    if (known.token !== undefined) return true;
    const { rows } = await server.database.pool.query<{ attempt_id: string }>(
      `select t.attempt_id from task_runs t join runs r on r.run_id = t.run_id
       where t.state = 'running' and r.owner_id = coalesce($1, r.owner_id) order by t.attempt_id desc`,
      [known.principalId ?? null],
    );
    const started = await findEndpoints(folder);
    const found = rows
      .map(({ attempt_id }) => started.get(Number(attempt_id)))
      .find((each) => each !== undefined && each !== known.after);
    if (found === undefined) return false;
    token = found;
    return true;
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

/** Tokens by attempt. */
async function findEndpoints(folder: string): Promise<Map<number, string>> {
  const files = await fs.readdir(folder, { recursive: true }).catch(() => []);
  const tokens = new Map<number, string>();
  for (const file of files.filter((name) => name.endsWith('attempt.json'))) {
    const document = JSON.parse(await fs.readFile(path.join(folder, file), 'utf8')) as {
      attempt_id: number;
      task: { kind: string };
      api: { token: string };
    };
    if (document.task.kind === 'sql_endpoint') tokens.set(document.attempt_id, document.api.token);
  }
  return tokens;
}
