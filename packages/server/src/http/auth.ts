/**
 * Who calls. Every route but the open ones wants a bearer token, or the cookie of a signed-in browser; a cookie
 * counts for changes only when the browser says that the page is ours.
 */
import { ApiError, type RoutePermission } from '@headrace/api';
import type { FastifyRequest } from 'fastify';
import type { Principal } from '../context.ts';

export const sessionCookie = 'headrace_session';

export interface Authenticated {
  readonly principal: Principal;
  /** For rate limits: stable for one token, and not the token. */
  readonly caller: string;
  /** A token that signs workers on opens nothing else, whoever made it; one of a task not all (task-scope.ts). */
  readonly scope?: 'workers' | 'task';
  /** Of the task whose token it is. */
  readonly attemptId?: number;
}

export interface Authenticator {
  /** Null for a token that is unknown, expired or revoked. */
  findPrincipal(token: string): Promise<Authenticated | null>;
}

export async function authenticate(
  request: FastifyRequest,
  { authenticator, publicOrigin }: { authenticator: Authenticator; publicOrigin: string | null },
): Promise<Authenticated> {
  const bearer = readToken(request.headers.authorization ?? '');
  const cookie = bearer === undefined ? request.cookies[sessionCookie] : undefined;
  const token = bearer ?? cookie;
  if (!token)
    throw new ApiError('UNAUTHENTICATED', 'no token: send the header "Authorization: Bearer <token>"');
  const found = await authenticator.findPrincipal(token);
  if (!found) throw new ApiError('UNAUTHENTICATED', 'the token is unknown, expired or revoked');
  if (cookie !== undefined && !isSafeMethod(request.method) && !isSameOrigin(request, publicOrigin)) {
    throw new ApiError(
      'PERMISSION_DENIED',
      'a signed-in browser may change things only from the pages of this server',
    );
  }
  return found;
}

/** Some SQL clients put the token where a password stands, for the user "token". */
function readToken(header: string): string | undefined {
  const basic = /^Basic +([A-Za-z0-9+/=]+)$/i.exec(header)?.[1];
  if (basic === undefined) return /^Bearer +(\S+)$/i.exec(header)?.[1];
  return /^token:(\S+)$/.exec(Buffer.from(basic, 'base64').toString('utf8'))?.[1];
}

export function authorize(
  { principal, scope }: Authenticated,
  permission: Exclude<RoutePermission, 'open'>,
  { isDeniedToTasks }: { readonly isDeniedToTasks: boolean },
): void {
  if (scope === 'task' && isDeniedToTasks) {
    throw new ApiError(
      'PERMISSION_DENIED',
      'the token of a task does not open this, whoever owns the task: use a token of a person',
    );
  }
  if (permission === 'task') {
    if (scope === 'task') return;
    throw new ApiError('PERMISSION_DENIED', 'only processes that the server has started may ask this');
  }
  if (permission === 'worker') {
    if (scope === 'workers' || principal.isAdmin) return;
    throw new ApiError(
      'PERMISSION_DENIED',
      `the token of ${principal.userName} is none for workers: an administrator makes one with "headrace workers create-token"`,
    );
  }
  if (scope === 'workers') {
    throw new ApiError('PERMISSION_DENIED', 'this token signs workers on, and opens nothing else');
  }
  if (permission === 'admin' && !principal.isAdmin) {
    throw new ApiError(
      'PERMISSION_DENIED',
      `${principal.userName} is no administrator, and only one may do this`,
    );
  }
}

function isSafeMethod(method: string): boolean {
  return method === 'GET' || method === 'HEAD';
}

function isSameOrigin(request: FastifyRequest, publicOrigin: string | null): boolean {
  const { origin } = request.headers;
  if (origin === undefined) return request.headers['sec-fetch-site'] === 'same-origin';
  return (
    origin === `${request.protocol}://${request.host}` || (publicOrigin !== null && origin === publicOrigin)
  );
}
