import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { StatementDocument } from '@headrace/api';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { callCli } from '../../testing/call-cli.ts';
import { type StubHandlers, type StubServer, startStubServer } from '../../testing/stub-server.ts';
import type { LineEditor, Typed } from './interactive.ts';

let server: StubServer | undefined;
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'headrace-sql-'));
});
afterEach(async () => {
  server?.close();
  server = undefined;
  await rm(folder, { recursive: true });
});

async function call(args: readonly string[], handlers: StubHandlers, world = {}) {
  server = await startStubServer(handlers);
  const environment = { HEADRACE_HOST: server.url, HEADRACE_TOKEN: 't' };
  return callCli(['sql', ...args], { environment, folder, ...world });
}

const columns = [
  { name: 'region', position: 0, type_text: 'STRING', type_name: 'STRING' },
  { name: 'amount', position: 1, type_text: 'DOUBLE', type_name: 'DOUBLE' },
];
const rows = [
  ['east, "far"', '165.0'],
  [null, '20'],
];

function succeeded(result: StatementDocument['result'] = { data_array: rows }): StatementDocument {
  return {
    statement_id: 's-1',
    status: { state: 'SUCCEEDED' },
    manifest: {
      format: 'JSON_ARRAY',
      schema: { column_count: 2, columns },
      total_chunk_count: 1,
      chunks: [],
      total_row_count: 2,
      total_byte_count: 10,
      truncated: false,
    },
    result,
  };
}

const pending: StatementDocument = { statement_id: 's-1', status: { state: 'PENDING' } };
const failed: StatementDocument = {
  statement_id: 's-1',
  status: {
    state: 'FAILED',
    error: { error_code: 'BAD_REQUEST', message: '[TABLE_OR_VIEW_NOT_FOUND] There is no table nope.' },
    sql_state: '42P01',
    headrace: { position: { line: 2, column: 7 } },
  },
};

/** Remembers what was asked for, and opens sessions. */
function answering(
  ...documents: StatementDocument[]
): StubHandlers & { readonly asked: Record<string, unknown>[] } {
  const asked: Record<string, unknown>[] = [];
  return {
    asked,
    statementsExecute: async (request) => {
      asked.push(request);
      return documents[asked.length - 1] ?? succeeded();
    },
    sqlSessionsCreate: async () => ({ session_id: 'session' }),
    sqlSessionsDelete: async () => ({}),
  } as StubHandlers & { readonly asked: Record<string, unknown>[] };
}

test('a statement is waited for and its rows are a table', async () => {
  const { asked, ...handlers } = answering(pending);

  const { stdout, stderr, exitCode } = await call(
    ['select :n', '-w', '475b94ddc7cd5211', '--catalog', 'dev', '-p', 'n:INT=5', '-p', 'unused=x'],
    { ...handlers, statementsGet: async () => succeeded() },
  );

  expect(exitCode).toBe(0);
  expect(stdout).toBe('region       amount\n───────────  ──────\neast, "far"   165.0\nNULL             20\n');
  expect(stderr).toContain('2 rows in ');
  expect(asked).toEqual([
    expect.objectContaining({
      statement: 'select :n',
      warehouse_id: '475b94ddc7cd5211',
      catalog: 'dev',
      parameters: [{ name: 'n', type: 'INT', value: '5' }],
      row_limit: 1_000,
      wait_timeout: '0s',
    }),
  ]);
});

test('csv and json are for programs, with all rows of all parts', async () => {
  const { asked, ...handlers } = answering(
    succeeded({ data_array: rows, next_chunk_index: 1 }),
    succeeded({ data_array: rows, next_chunk_index: 1 }),
  );
  const parts: StubHandlers = {
    ...handlers,
    statementsResultChunk: async () => ({ data_array: [['north', '1']] }),
  };

  const csv = await call(['select 1', '-o', 'csv'], parts);
  server?.close();
  const json = await call(['select 1', '-o', 'json'], parts);

  expect(csv.stdout).toBe('region,amount\r\n"east, ""far""",165.0\r\n,20\r\nnorth,1\n');
  expect(JSON.parse(json.stdout)).toEqual([
    { region: 'east, "far"', amount: '165.0' },
    { region: null, amount: '20' },
    { region: 'north', amount: '1' },
  ]);
  expect(asked[0]).toMatchObject({ disposition: 'EXTERNAL_LINKS' });
  expect(asked[0]).not.toHaveProperty('row_limit');
});

test('a file runs in one session and stops where a statement fails, with the place marked', async () => {
  await writeFile(path.join(folder, 'all.sql'), 'create table a;\n-- why\nselect *\nfrom  nope;\nselect 2');
  const { asked, ...handlers } = answering(succeeded(), failed);

  const { stderr, exitCode } = await call(['--file', 'all.sql', '--schema', 's'], handlers);

  expect(exitCode).toBe(1);
  expect(asked).toHaveLength(2);
  expect(asked[0]).toMatchObject({ session_id: 'session' });
  expect(stderr).toContain(
    'error: statement 2 of 3, line 2: [TABLE_OR_VIEW_NOT_FOUND] There is no table nope. SQLSTATE: 42P01\n',
  );
  expect(stderr).toContain('  line 2:\n  select *\n        ^\n');
  expect(server?.calls).toContain('DELETE /api/2.0/sql/sessions/session');
});

test('whoever interrupts a statement has it cancelled', async () => {
  const interruption = new AbortController();
  const cancelled: string[] = [];
  const { asked: _, ...handlers } = answering(pending);

  const { exitCode } = await call(
    ['select 1'],
    {
      ...handlers,
      statementsGet: async () => {
        interruption.abort('SIGINT');
        return pending;
      },
      statementsCancel: async ({ statement_id }) => {
        cancelled.push(statement_id);
        return {};
      },
    },
    { interrupted: interruption.signal },
  );

  expect(exitCode).toBe(130);
  expect(cancelled).toEqual(['s-1']);
});

/** Types the answers one after another, then leaves. */
function typing(
  ...answers: readonly (string | Typed)[]
): LineEditor & { readonly remembered: string[]; prompts: string[] } {
  const left = [...answers];
  const remembered: string[] = [];
  const prompts: string[] = [];
  return {
    remembered,
    prompts,
    onInterrupt: null,
    ask: async (prompt) => {
      prompts.push(prompt);
      const next = left.shift() ?? { kind: 'ended' };
      return typeof next === 'string' ? { kind: 'line', text: next } : next;
    },
    remember: (entry) => void remembered.push(entry),
    close() {},
  };
}

test('what is typed runs at its semicolon, in one session, and a failure ends nothing', async () => {
  const editor = typing('select 1', '  + 1;', 'selec', { kind: 'interrupted' }, 'nope; select 3;', 'quit');
  const { asked, ...handlers } = answering(succeeded(), failed);

  const { exitCode, stderr } = await call([], handlers, { isInputTty: true, openLineEditor: () => editor });

  expect(exitCode).toBe(0);
  expect(asked.map(({ statement, session_id }) => [statement, session_id])).toEqual([
    ['select 1\n  + 1', 'session'],
    ['nope', 'session'],
  ]);
  expect(editor.prompts).toEqual(['sql> ', '...> ', 'sql> ', '...> ', 'sql> ', 'sql> ']);
  expect(editor.remembered).toEqual(['select 1\n  + 1;', 'nope; select 3;']);
  expect(stderr).toContain('error: [TABLE_OR_VIEW_NOT_FOUND]');
});

test('Ctrl-C while a statement runs cancels that statement alone', async () => {
  const editor = typing('select 1;', 'select 2;');
  const { asked, ...handlers } = answering(pending);

  const { exitCode, stdout } = await call(
    [],
    {
      ...handlers,
      statementsGet: async () => {
        editor.onInterrupt?.();
        return pending;
      },
      statementsCancel: async () => ({}),
    },
    { isInputTty: true, openLineEditor: () => editor },
  );

  expect(exitCode).toBe(0);
  expect(asked).toHaveLength(2);
  expect(stdout).toContain('region');
});

test('standard input is run where nobody types', async () => {
  const { asked, ...handlers } = answering();

  await call([], handlers, { readInput: async () => Buffer.from('select 7;\n') });

  expect(asked).toMatchObject([{ statement: 'select 7' }]);
});

test.each([
  [['select 1', '--file', 'a.sql'], 'a statement and --file: give one of them'],
  [['select 1', '--param', '1=2'], '--param 1=2: expected name=value, or name:TYPE=value'],
  [['/* nothing */'], 'there is no statement to run'],
  [['--file', 'nope.sql'], '--file: ENOENT'],
])('%j is refused before anything is sent', async (args, message) => {
  const { stderr, exitCode } = await call(args, {});

  expect(exitCode).toBe(2);
  expect(stderr).toContain(message);
});
