import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, expectTypeOf, test } from 'vitest';
import { type Client, createClient, UnreachableError } from './client.ts';
import { ApiError } from './errors.ts';
import type { RawBytes } from './route.ts';
import type { RunEvent } from './run-documents.ts';

interface Seen {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly authorization: string | undefined;
  readonly body: string;
}

let server: Server | undefined;

afterEach(() => {
  server?.closeAllConnections();
  server?.close();
  server = undefined;
});

/** A server that gives one reply to all, and the requests it saw. */
async function serve(answer: (response: ServerResponse, request: IncomingMessage) => void) {
  const seen: Seen[] = [];
  server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    seen.push({
      method: request.method,
      url: request.url,
      authorization: request.headers.authorization,
      body,
    });
    answer(response, request);
  });
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  // Listening on a port, not on a pipe.
  const { port } = server.address() as AddressInfo;
  const baseUrl = `http://127.0.0.1:${port}`;
  return { seen, baseUrl, client: createClient({ baseUrl, token: 'secret' }) };
}

function reply(status: number, body: unknown) {
  return (response: ServerResponse) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };
}

test('a POST sends its fields as JSON, with the token', async () => {
  const { client, seen } = await serve(reply(200, { run_id: 5 }));

  const run = await client.jobsRunNow({ job_id: 3, job_parameters: { a: 'b' } });

  expect(run.run_id).toBe(5);
  expect(seen).toEqual([
    {
      method: 'POST',
      url: '/api/2.2/jobs/run-now',
      authorization: 'Bearer secret',
      body: '{"job_id":3,"job_parameters":{"a":"b"}}',
    },
  ]);
});

test('a GET sends its fields in path and query', async () => {
  const { client, seen } = await serve(
    reply(200, { log: 'x', offset: 2, next_offset: 3, size: 3, truncated: false, ended: true }),
  );

  await client.taskLog({ run_id: 1, task_run_id: 2, offset: 2 });

  expect(seen[0]?.url).toBe('/api/headrace/runs/1/tasks/2/log?offset=2');
});

test('names in a path are escaped', async () => {
  const { client, seen } = await serve(reply(200, { table_exists: false }));

  await client.tablesExists({ full_name: 'main.a/b.c d' });

  expect(seen[0]?.url).toBe('/api/2.1/unity-catalog/tables/main.a%2Fb.c%20d/exists');
});

test('a name that would lead to another route is not sent', async () => {
  const client = createClient({ baseUrl: 'http://127.0.0.1:9' });

  await expect(client.catalogsGet({ name: '..' })).rejects.toThrow("name: '..' is not a name");
});

test('an error body becomes an ApiError', async () => {
  const { client } = await serve(
    reply(400, { error_code: 'INVALID_PARAMETER_VALUE', message: 'Job 9 does not exist.' }),
  );

  const failure = await client.jobsGet({ job_id: 9 }).catch((error: unknown) => error);

  expect(failure).toBeInstanceOf(ApiError);
  expect(failure).toMatchObject({
    code: 'INVALID_PARAMETER_VALUE',
    message: 'Job 9 does not exist.',
    status: 400,
  });
});

test('a reply with unknown fields comes back whole', async () => {
  const job = { job_id: 1, created_time: 2, settings: { name: 'n', colour: 'blue' }, extra: [1] };
  const { client } = await serve(reply(200, job));

  expect(await client.jobsGet({ job_id: 1 })).toEqual(job);
});

test('a reply that is not the agreed document is reported with its field', async () => {
  const { client } = await serve(reply(200, { run_id: 'five' }));

  await expect(client.jobsRunNow({ job_id: 1 })).rejects.toThrow(
    'POST /api/2.2/jobs/run-now answered with another document than agreed: run_id: expected a number, got a text',
  );
});

test('a server that is not there is unreachable', async () => {
  const { client } = await serve(reply(200, {}));
  server?.close();

  const failure = await client.healthz({}).catch((error: unknown) => error);

  expect(failure).toBeInstanceOf(UnreachableError);
  expect(String(failure)).toMatch(/cannot reach http:\/\/127\.0\.0\.1:\d+: .*ECONNREFUSED/);
});

describe('a server that keeps its connections open and says nothing', () => {
  const silenceMsMax = 100;

  test('is unreachable, and so is one that falls silent in a stream', async () => {
    const { baseUrl } = await serve((response, request) => {
      if (!request.url?.includes('events')) return;
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(`data: ${JSON.stringify(anEvent(1, false))}\n\n`);
    });
    const client = createClient({ baseUrl, silenceMsMax });
    const versions: number[] = [];
    const read = async () => {
      for await (const { version } of client.runEvents({ run_id: 1 })) versions.push(version);
    };

    await expect(client.healthz({})).rejects.toThrow(/cannot reach .*: it has said nothing for 0\.1 s/);
    await expect(read()).rejects.toThrow(UnreachableError);
    expect(versions).toEqual([1]);
  });

  test('is there as long as its stream shows life', async () => {
    const { baseUrl } = await serve(async (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      for (let beat = 0; beat < 10; beat += 1) {
        response.write(': still here\n\n');
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      response.end(`data: ${JSON.stringify(anEvent(2, true))}\n\n`);
    });
    const versions: number[] = [];

    for await (const { version } of createClient({ baseUrl, silenceMsMax: 400 }).runEvents({ run_id: 1 }))
      versions.push(version);

    expect(versions).toEqual([2]);
  });

  test('can be left: the signal of the client ends each call with its reason', async () => {
    const { baseUrl } = await serve(() => undefined);
    const leaving = new AbortController();
    const client = createClient({ baseUrl, signal: leaving.signal });

    const call = client.healthz({});
    leaving.abort(new Error('enough'));

    await expect(call).rejects.toThrow('enough');
  });
});

test('direct_download gives bytes, otherwise a document', async () => {
  const { client } = await serve((response, request) => {
    if (request.url?.includes('direct_download=true')) response.end(Buffer.from([1, 2, 255]));
    else response.end('{"content":"AQL/"}');
  });

  expect((await client.workspaceExport({ path: '/f', direct_download: true })).bytes).toEqual(
    new Uint8Array([1, 2, 255]),
  );
  expect((await client.workspaceExport({ path: '/f' })).content).toBe('AQL/');
});

function anEvent(version: number, ended: boolean): RunEvent {
  const state = { life_cycle_state: ended ? ('TERMINATED' as const) : ('RUNNING' as const) };
  const status = { state: ended ? ('TERMINATED' as const) : ('RUNNING' as const) };
  return { version, run_id: 1, at_ms: 1, state, status, tasks: [], ended };
}

test('events arrive one by one, however the stream is cut', async () => {
  const { client } = await serve(async (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const text = `: hello\n\nid: 1\ndata: ${JSON.stringify(anEvent(1, false))}\n\ndata: ${JSON.stringify(anEvent(2, true))}\n\n`;
    for (let at = 0; at < text.length; at += 17) {
      response.write(text.slice(at, at + 17));
      await new Promise((resolve) => setImmediate(resolve));
    }
    response.end();
  });

  const versions: number[] = [];
  for await (const event of client.runEvents({ run_id: 1 })) versions.push(event.version);

  expect(versions).toEqual([1, 2]);
});

test('a stream that breaks is unreachable, and an aborted one ends with its reason', async () => {
  const { client } = await serve((response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(`data: ${JSON.stringify(anEvent(1, false))}\n\n`, () => response.destroy());
  });
  const read = async (signal?: AbortSignal) => {
    for await (const _ of client.runEvents({ run_id: 1 }, signal === undefined ? {} : { signal }));
  };

  await expect(read()).rejects.toThrow(UnreachableError);
  await expect(read(AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough');
});

test('a function is typed by its route', () => {
  expectTypeOf<Client['jobsCreate']>().returns.resolves.toHaveProperty('job_id').toEqualTypeOf<number>();
  expectTypeOf<Client['jobsGet']>().parameter(0).toHaveProperty('job_id').toEqualTypeOf<string | number>();
  expectTypeOf<Client['runEvents']>().returns.toExtend<AsyncIterable<RunEvent>>();
  expectTypeOf<Awaited<ReturnType<typeof download>>>().toEqualTypeOf<RawBytes>();
});

function download(client: Client) {
  return client.workspaceExport({ path: '/x', direct_download: true });
}
