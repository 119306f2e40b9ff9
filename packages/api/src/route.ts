/**
 * A route: one entry of the contract. Validation, handler types, client, OpenAPI and the UI's fake come from it.
 * Nothing here knows a server.
 */
import type { z } from 'zod';
import { ApiError } from './errors.ts';
import { formatIssues } from './format-issues.ts';

export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/**
 * How a reply travels. `events`: server-sent events, each a `response`. `bytes`: a `response` as JSON, or raw bytes
 * when the request asks for them by `direct_download`. `redirect`: 303 to `location`, with `set_cookie`. `stream`: the
 * bodies of request and reply are bytes as they are, of any size; the fields of the request are in its path and query.
 */
export const routeKinds = ['json', 'events', 'bytes', 'redirect', 'stream'] as const;
export type RouteKind = (typeof routeKinds)[number];

/**
 * Who may call: anyone, any principal, administrators, workers on other machines, whose tokens open nothing else, and
 * the process of a task that the server itself has made.
 * Objects have permissions of their own beside it.
 */
export const routePermissions = ['open', 'user', 'admin', 'worker', 'task'] as const;
export type RoutePermission = (typeof routePermissions)[number];

/** Only an open route may go unrecorded, and what workers and processes of the server's own say all the time. */
type Access =
  | { readonly permission: 'open' | 'worker' | 'task'; readonly audit: string | null }
  | { readonly permission: 'user' | 'admin'; readonly audit: string };

interface RouteSpec<Request, Response, Kind> {
  readonly method: Method;
  /** `{name}` is one segment, `{name+}` the rest of the path with its slashes. */
  readonly path: string;
  /** Other full paths that answer alike. */
  readonly aliases?: readonly string[];
  readonly summary: string;
  /** One flat object: path, query and body merged. */
  readonly request: Request;
  readonly response: Response;
  readonly kind?: Kind;
  /** The body may also be multipart/form-data: fields by name, files as base64 texts. */
  readonly multipart?: boolean;
}

export interface Route<
  Request extends z.ZodType = z.ZodType,
  Response extends z.ZodType = z.ZodType,
  Kind extends RouteKind = RouteKind,
> extends RouteSpec<Request, Response, Kind> {
  readonly aliases: readonly string[];
  readonly permission: RoutePermission;
  readonly audit: string | null;
  readonly kind: Kind;
  readonly multipart: boolean;
}

export type Routes = Readonly<Record<string, Route>>;

export function route<Request extends z.ZodType, Response extends z.ZodType, Kind extends RouteKind = 'json'>(
  spec: RouteSpec<Request, Response, Kind> & Access,
): Route<Request, Response, Kind> {
  // `kind` is left out only where Kind is inferred as its default, 'json'.
  return { aliases: [], multipart: false, ...spec, kind: spec.kind ?? ('json' as Kind) };
}

/** What a handler gets: parsed, with defaults filled in. */
export type RequestOf<R extends Route> = z.output<R['request']>;
/** What a caller may pass: defaults left out, numbers as texts. */
export type RequestInputOf<R extends Route> = z.input<R['request']>;
export type ResponseOf<R extends Route> = z.output<R['response']>;

export interface RawBytes {
  readonly contentType: string;
  readonly bytes: Uint8Array;
}

export interface StreamedReply {
  readonly status: 200 | 204 | 206;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: AsyncIterable<Uint8Array> | null;
}

export type ResultOf<R extends Route> = R['kind'] extends 'events'
  ? AsyncIterable<ResponseOf<R>>
  : R['kind'] extends 'stream'
    ? StreamedReply
    : R['kind'] extends 'bytes'
      ? ResponseOf<R> | RawBytes
      : ResponseOf<R>;

/** One function for each route: the server and the UI's fake do not compile before they answer all of them. */
export type Handlers<R extends Routes, Context> = {
  readonly [Name in keyof R]: (request: RequestOf<R[Name]>, context: Context) => Promise<ResultOf<R[Name]>>;
};

/** Parses path, query and body, already merged; a field that is null counts as left out. */
export function parseRequest<R extends Route>(
  route: R,
  merged: Readonly<Record<string, unknown>>,
): RequestOf<R> {
  const present = Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== null));
  const parsed = route.request.safeParse(present, { reportInput: true });
  if (!parsed.success) throw new ApiError('INVALID_PARAMETER_VALUE', formatIssues(parsed.error));
  // The schema is R's own; TypeScript widens it to the constraint.
  return parsed.data as RequestOf<R>;
}

export interface PathParameter {
  readonly name: string;
  /** Takes the rest of the path, slashes included. */
  readonly rest: boolean;
}

export function readPathParameters(path: string): readonly PathParameter[] {
  return [...path.matchAll(/\{(\w+)(\+?)\}/g)].map((match) => ({
    name: match[1] ?? '',
    rest: match[2] === '+',
  }));
}

/** The parameters in `pathname` if it fits the route's path or one of its aliases; undefined if it does not. */
export function matchPath(route: Route, pathname: string): Readonly<Record<string, string>> | undefined {
  for (const path of [route.path, ...route.aliases]) {
    const pattern = path
      .replace(/[.*?^$|()[\]\\]/g, '\\$&')
      .replace(/\{(\w+)\+\}/g, '(?<$1>.+)')
      .replace(/\{(\w+)\}/g, '(?<$1>[^/]+)');
    const match = new RegExp(`^${pattern}$`).exec(pathname);
    if (match === null) continue;
    return Object.fromEntries(
      Object.entries(match.groups ?? {}).map(([name, text]) => [name, decodeURIComponent(text)]),
    );
  }
  return undefined;
}
