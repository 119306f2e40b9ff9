/** A typed function for each route, over fetch. Used by the CLI, bundles, the UI and tests. */
import { ApiError, toApiError } from './errors.ts';
import { formatIssues } from './format-issues.ts';
import type { RawBytes, RequestInputOf, ResponseOf, Route, Routes } from './route.ts';
import { readPathParameters } from './route.ts';
import { routes } from './routes.ts';
import { readServerSentEvents } from './server-sent-events.ts';

export interface ClientOptions {
  /** Scheme, host and port: `http://127.0.0.1:8080`. */
  readonly baseUrl: string;
  /** Without one, the browser's session cookie is what signs a request. */
  readonly token?: string | undefined;
  readonly fetch?: typeof fetch | undefined;
  readonly userAgent?: string | undefined;
  /** Ends every call, as the signal of the call itself does. */
  readonly signal?: AbortSignal | undefined;
  /**
   * How long a server may say nothing before the call fails as unreachable: one that is frozen keeps its connections open.
   * Streams say every 5 s that they are there. By default there is no limit.
   */
  readonly silenceMsMax?: number | undefined;
}

export interface CallOptions {
  readonly signal?: AbortSignal;
}

export interface StreamCallOptions extends CallOptions {
  readonly body?: RequestInit['body'];
  readonly headers?: Readonly<Record<string, string>>;
}

type Call<R extends Route> = R['kind'] extends 'events'
  ? (request: RequestInputOf<R>, options?: CallOptions) => AsyncGenerator<ResponseOf<R>, void, undefined>
  : R['kind'] extends 'stream'
    ? (request: RequestInputOf<R>, options?: StreamCallOptions) => Promise<Response>
    : R['kind'] extends 'bytes'
      ? <Request extends RequestInputOf<R>>(
          request: Request,
          options?: CallOptions,
        ) => Promise<Request extends { readonly direct_download: true } ? RawBytes : ResponseOf<R>>
      : (request: RequestInputOf<R>, options?: CallOptions) => Promise<ResponseOf<R>>;

export type ClientOf<R extends Routes> = { readonly [Name in keyof R]: Call<R[Name]> };
export type Client = ClientOf<typeof routes>;

/** The server could not be reached, or the connection broke before its reply was complete. */
export class UnreachableError extends Error {
  readonly baseUrl: string;

  constructor(baseUrl: string, cause: unknown) {
    super(`cannot reach ${baseUrl}: ${describeCause(cause)}`, { cause });
    this.name = 'UnreachableError';
    this.baseUrl = baseUrl;
  }
}

export function createClient(options: ClientOptions): Client {
  const calls = Object.entries<Route>(routes).map(([name, route]) => [
    name,
    route.kind === 'events'
      ? (request: object, call?: CallOptions) => streamRoute(options, route, request, call)
      : route.kind === 'stream'
        ? (request: object, call?: StreamCallOptions) => exchangeBytes(options, route, request, call)
        : (request: object, call?: CallOptions) => callRoute(options, route, request, call),
  ]);
  // Built from the same table that the type is made from.
  return Object.fromEntries(calls) as Client;
}

async function callRoute(
  options: ClientOptions,
  route: Route,
  request: object,
  call?: CallOptions,
): Promise<unknown> {
  const silence = watchSilence(options, call);
  // Once it answers it is there, however long the answer is.
  const response = await send(options, route, request, silence).finally(silence.stop);
  if (route.kind === 'bytes' && 'direct_download' in request && request.direct_download === true) {
    const contentType = response.headers.get('content-type') ?? 'application/octet-stream';
    return { contentType, bytes: new Uint8Array(await response.arrayBuffer()) } satisfies RawBytes;
  }
  const body = await readJson(silence, response);
  const checked = route.response.safeParse(body);
  if (!checked.success) {
    throw new Error(
      `${route.method} ${route.path} answered with another document than agreed: ${formatIssues(checked.error)}`,
    );
  }
  return body;
}

/** The reply as it comes: its body is read by the caller. */
async function exchangeBytes(
  options: ClientOptions,
  route: Route,
  request: object,
  call: StreamCallOptions = {},
): Promise<Response> {
  // A long upload is no silence: it is ended by its own signal only.
  const silence = watchSilence(call.body ? { ...options, silenceMsMax: undefined } : options, call);
  return send(options, route, request, { ...silence, raw: call }).finally(silence.stop);
}

async function* streamRoute(
  options: ClientOptions,
  route: Route,
  request: object,
  call?: CallOptions,
): AsyncGenerator<unknown, void, undefined> {
  const silence = watchSilence(options, call);
  try {
    const response = await send(options, route, request, silence);
    silence.heard();
    if (response.body === null) return;
    for await (const text of readServerSentEvents(response.body, silence.heard))
      yield route.response.parse(JSON.parse(text));
  } catch (error) {
    throw silence.explain(error);
  } finally {
    silence.stop();
  }
}

interface Silence {
  readonly signal: AbortSignal | undefined;
  /** The server has said something. */
  heard(): void;
  /** What to throw for what fetch, or the reading of its body, threw. */
  explain(error: unknown): unknown;
  stop(): void;
}

function watchSilence({ baseUrl, signal, silenceMsMax }: ClientOptions, call?: CallOptions): Silence {
  const silent = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const heard = () => {
    clearTimeout(timer);
    if (silenceMsMax === undefined) return;
    timer = setTimeout(() => silent.abort(), silenceMsMax);
  };
  heard();
  const asked = [signal, call?.signal].filter((each) => each !== undefined);
  const all = silenceMsMax === undefined ? asked : [...asked, silent.signal];
  return {
    signal: all.length > 1 ? AbortSignal.any(all) : all[0],
    heard,
    explain(error) {
      const stopped = asked.find(({ aborted }) => aborted);
      if (stopped) return stopped.reason;
      if (silent.signal.aborted) {
        const cause = new Error(`it has said nothing for ${(silenceMsMax ?? 0) / 1000} s`);
        return new UnreachableError(baseUrl, cause);
      }
      // fetch reports every failure of the network as a TypeError.
      return error instanceof TypeError ? new UnreachableError(baseUrl, error) : error;
    },
    stop: () => clearTimeout(timer),
  };
}

async function send(
  options: ClientOptions,
  route: Route,
  request: object,
  silence: Silence & { readonly raw?: StreamCallOptions },
): Promise<Response> {
  const { url, body: json } = placeRequest(options.baseUrl, route, request);
  const body = silence.raw ? silence.raw.body : json;
  const headers: Record<string, string> = {
    accept: route.kind === 'events' ? 'text/event-stream' : 'application/json',
  };
  if (options.token !== undefined) headers.authorization = `Bearer ${options.token}`;
  if (options.userAgent !== undefined) headers['user-agent'] = options.userAgent;
  if (json !== undefined) headers['content-type'] = 'application/json';
  if (silence.raw) Object.assign(headers, { accept: '*/*' }, silence.raw.headers);
  const response = await reach(silence, () =>
    (options.fetch ?? fetch)(url, {
      method: route.method,
      headers,
      ...(body === undefined ? {} : { body, duplex: 'half' }),
      ...(silence.signal === undefined ? {} : { signal: silence.signal }),
    }),
  );
  if (response.ok) return response;
  throw toApiError(response.status, await readJson(silence, response).catch(() => undefined));
}

/** Path parameters go into the path; of the rest, GET and DELETE send a query, the others a JSON body. */
function placeRequest(
  baseUrl: string,
  route: Route,
  request: object,
): { url: string; body: string | undefined } {
  const rest = new Map(Object.entries(request).filter(([, value]) => value !== undefined));
  let path = route.path;
  for (const { name, rest: slashes } of readPathParameters(route.path)) {
    const value = rest.get(name);
    if (value === undefined || value === '')
      throw new ApiError('INVALID_PARAMETER_VALUE', `${name}: is missing`);
    const text = slashes
      ? String(value).split('/').map(encodeURIComponent).join('/')
      : encodeURIComponent(String(value));
    // A URL folds these away: another route would be called.
    if (text.split('/').some((segment) => segment === '.' || segment === '..'))
      throw new ApiError('INVALID_PARAMETER_VALUE', `${name}: '${value}' is not a name`);
    path = path.replace(slashes ? `{${name}+}` : `{${name}}`, text);
    rest.delete(name);
  }
  const url = new URL(path, baseUrl);
  if (route.method !== 'GET' && route.method !== 'DELETE' && route.kind !== 'stream') {
    return { url: url.href, body: JSON.stringify(Object.fromEntries(rest)) };
  }
  for (const [name, value] of rest) url.searchParams.set(name, String(value));
  return { url: url.href, body: undefined };
}

async function readJson(silence: Silence, response: Response): Promise<unknown> {
  const text = await reach(silence, () => response.text());
  if (text === '') return {};
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Error(`${response.url} answered with something other than JSON`, { cause });
  }
}

async function reach<T>(silence: Silence, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    throw silence.explain(error);
  }
}

function describeCause(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  if (!(cause instanceof Error)) return error.message;
  return 'code' in cause && cause.message === '' ? String(cause.code) : cause.message;
}
