/**
 * The fake API as a small HTTP server that also hands out the built UI. For tests (`startMockServer`) and for work on
 * the UI: `node --conditions=source packages/web/mock/server.ts`, then Vite with HEADRACE_HOST set to its address.
 */
import { readFile } from 'node:fs/promises';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import {
  ApiError,
  matchPath,
  parseRequest,
  type Route,
  routes,
  type StreamedReply,
  toErrorBody,
} from '@headrace/api';
import { createHandlers, type MockContext } from './handlers.ts';
import { sessionCookie } from './rest-handlers.ts';
import { createWorld } from './seeded-world.ts';
import { stepRun } from './step-run.ts';
import type { World } from './world.ts';

export interface MockServer {
  readonly url: string;
  readonly world: World;
  /** Takes one run, or all that live, one step further. */
  step(runId?: number): void;
  /** Breaks every connection, and takes none before `comeBack`. */
  goAway(): Promise<void>;
  comeBack(): Promise<void>;
  stop(): Promise<void>;
}

export interface MockOptions {
  /** 0: any free one. */
  readonly port: number;
  /** Sent with every page and file of the UI. */
  readonly pageHeaders?: Readonly<Record<string, string>>;
  readonly distFolder?: string;
}

type AnyHandler = (request: unknown, context: MockContext) => Promise<unknown>;

export async function startMockServer(options: MockOptions): Promise<MockServer> {
  const world = createWorld(Date.now);
  // Each handler takes what its own route parses: the pairs come from the same names.
  const handlers = createHandlers(world) as unknown as Readonly<Record<string, AnyHandler>>;
  const server = http.createServer((request, response) => {
    answer(request, response, { handlers, options }).catch((error: unknown) => sendError(response, error));
  });
  const listen = (port: number) => new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  await listen(options.port);
  // It listens on a port, not on a pipe.
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    world,
    step: (runId) => {
      for (const [id, run] of world.runs)
        if (runId === undefined || id === runId) stepRun(run, world.nowMs());
    },
    goAway: close,
    comeBack: () => listen(port),
    stop: close,
  };
}

interface Site {
  readonly handlers: Readonly<Record<string, AnyHandler>>;
  readonly options: MockOptions;
}

async function answer(
  request: http.IncomingMessage,
  response: http.ServerResponse,
  site: Site,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://mock');
  for (const [name, route] of Object.entries<Route>(routes)) {
    const fromPath = route.method === request.method ? matchPath(route, url.pathname) : undefined;
    const handler = site.handlers[name];
    if (fromPath === undefined || handler === undefined) continue;
    if (route.permission !== 'open' && !isSignedIn(request))
      throw new ApiError('UNAUTHENTICATED', 'Sign in first, or send a token.');
    const body = await readBody(request);
    const parsed = parseRequest(route, { ...Object.fromEntries(url.searchParams), ...body, ...fromPath });
    const gone = new AbortController();
    response.on('close', () => gone.abort());
    return sendResult(response, route, await handler(parsed, { signal: gone.signal }));
  }
  if (/^\/(api|\.well-known)\//.test(url.pathname))
    throw new ApiError('ENDPOINT_NOT_FOUND', `There is no ${request.method} ${url.pathname}`);
  await sendFile(response, url.pathname, site.options);
}

function isSignedIn(request: http.IncomingMessage): boolean {
  const { cookie = '', authorization = '' } = request.headers;
  return new RegExp(`\\b${sessionCookie}=[^;]`).test(cookie) || authorization.startsWith('Bearer ');
}

async function readBody(request: http.IncomingMessage): Promise<Record<string, unknown>> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part);
  const text = Buffer.concat(parts).toString();
  return text === '' ? {} : JSON.parse(text);
}

async function sendResult(response: http.ServerResponse, route: Route, result: unknown): Promise<void> {
  if (route.kind === 'redirect') {
    // The contract says that a redirect answers with these two.
    const { location, set_cookie } = result as { location: string; set_cookie: string };
    response.writeHead(303, { location, 'set-cookie': set_cookie }).end();
    return;
  }
  if (route.kind === 'events') {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    // And that these are streams.
    for await (const event of result as AsyncIterable<unknown>)
      response.write(`data: ${JSON.stringify(event)}\n\n`);
    response.end();
    return;
  }
  if (route.kind === 'stream') {
    // And that these are bytes as they are.
    const { status, headers, body } = result as StreamedReply;
    response.writeHead(status, headers);
    for await (const part of body ?? []) response.write(part);
    response.end();
    return;
  }
  const leaves = route === routes.signOut ? { 'set-cookie': `${sessionCookie}=; Path=/; Max-Age=0` } : {};
  response.writeHead(200, { 'content-type': 'application/json', ...leaves }).end(JSON.stringify(result));
}

function sendError(response: http.ServerResponse, error: unknown): void {
  const known = error instanceof ApiError ? error : new ApiError('INTERNAL_ERROR', String(error));
  if (response.headersSent) return void response.destroy();
  response.writeHead(known.status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(toErrorBody(known)));
}

const contentTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

async function sendFile(
  response: http.ServerResponse,
  pathname: string,
  options: MockOptions,
): Promise<void> {
  const folder = options.distFolder ?? path.join(import.meta.dirname, '../dist');
  const wanted = path.join(folder, path.posix.normalize(`/${pathname}`));
  const isFile = path.extname(wanted) in contentTypes;
  const file = isFile ? wanted : path.join(folder, 'index.html');
  const content = await readFile(file).catch(() => null);
  if (content === null) throw new ApiError('ENDPOINT_NOT_FOUND', `${file} is not built: npm run setup`);
  response.writeHead(200, { 'content-type': contentTypes[path.extname(file)], ...options.pageHeaders });
  response.end(content);
}

/** Started by hand: the living runs take a step each second and a half. */
if (import.meta.main) {
  const mock = await startMockServer({ port: Number(process.env.PORT ?? 8090) });
  console.log(`fake API: ${mock.url}\nSign in with:  ${mock.url}/api/headrace/sign-in?code=mock`);
  console.log(`Vite over it:  HEADRACE_HOST=${mock.url} npx vite packages/web`);
  setInterval(() => mock.step(), 1_500);
}
