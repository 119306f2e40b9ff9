/** A server for tests of commands: the contract's own routes on loopback, answered by the handlers a test gives. */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  ApiError,
  type Handlers,
  matchPath,
  parseRequest,
  type Route,
  type RunDocument,
  type RunTaskDocument,
  routes,
  type StreamedReply,
  toErrorBody,
} from '@headrace/api';

export type StubHandlers = Partial<
  Handlers<typeof routes, { readonly token: string | undefined; readonly body: string }>
>;

export interface StubServer {
  readonly url: string;
  /** `GET /api/2.2/jobs/list` for each request. */
  readonly calls: string[];
  close(): void;
}

export async function startStubServer(handlers: StubHandlers): Promise<StubServer> {
  const calls: string[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const url = new URL(request.url ?? '/', 'http://stub');
    calls.push(`${request.method} ${url.pathname}`);
    const token = request.headers.authorization?.replace('Bearer ', '');
    try {
      const isJson = request.headers['content-type'] === 'application/json';
      const fields = { ...Object.fromEntries(url.searchParams), ...(isJson ? JSON.parse(body) : {}) };
      await answer(response, handlers, {
        method: request.method ?? '',
        pathname: url.pathname,
        fields,
        token,
        body,
      });
    } catch (error) {
      const known = error instanceof ApiError ? error : new ApiError('INTERNAL_ERROR', String(error));
      response.writeHead(known.status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(toErrorBody(known)));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // Listening on a port, not on a pipe.
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    calls,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

interface Asked {
  readonly method: string;
  readonly pathname: string;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly token: string | undefined;
  readonly body: string;
}

type AnyHandler = (
  request: unknown,
  context: { token: string | undefined; body: string },
) => Promise<unknown>;

async function answer(response: ServerResponse, handlers: StubHandlers, asked: Asked): Promise<void> {
  for (const [name, route] of Object.entries<Route>(routes)) {
    const inPath = route.method === asked.method ? matchPath(route, asked.pathname) : undefined;
    // Handlers are keyed like routes.
    const handler = handlers[name as keyof StubHandlers] as AnyHandler | undefined;
    if (inPath === undefined || handler === undefined) continue;
    const result = await handler(parseRequest(route, { ...asked.fields, ...inPath }), asked);
    if (route.kind === 'stream') {
      const { status, headers, body } = result as StreamedReply;
      response.writeHead(status, headers);
      for await (const part of body ?? []) response.write(part);
      response.end();
      return;
    }
    if (route.kind !== 'events') {
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(result));
      return;
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for await (const event of result as AsyncIterable<unknown>)
      response.write(`data: ${JSON.stringify(event)}\n\n`);
    response.end();
    return;
  }
  throw new ApiError('ENDPOINT_NOT_FOUND', `no handler for ${asked.method} ${asked.pathname}`);
}

const course = {
  attempt_number: 0,
  start_time: 1_000,
  end_time: 4_000,
  setup_duration: 0,
  execution_duration: 3_000,
  cleanup_duration: 0,
  run_page_url: 'http://stub/runs/7',
};

export const succeeded = {
  state: { life_cycle_state: 'TERMINATED', result_state: 'SUCCESS' },
  status: { state: 'TERMINATED' },
} as const;
export const running = { state: { life_cycle_state: 'RUNNING' }, status: { state: 'RUNNING' } } as const;
export const failed = {
  state: { life_cycle_state: 'TERMINATED', result_state: 'FAILED', state_message: 'Workload failed' },
  status: { state: 'TERMINATED' },
} as const;

export function aTask(fields: Partial<RunTaskDocument> = {}): RunTaskDocument {
  return { run_id: 70, task_key: 'load', ...course, ...succeeded, ...fields };
}

export function aRun(fields: Partial<RunDocument> = {}): RunDocument {
  return {
    run_id: 7,
    run_name: 'flights',
    run_type: 'JOB_RUN',
    creator_user_name: 'me',
    trigger: 'ONE_TIME',
    ...course,
    ...succeeded,
    tasks: [aTask()],
    ...fields,
  };
}
