/** What the Kubernetes API says when it refuses or is away, in sentences for people. */
import { ApiException } from '@kubernetes/client-node';

/** The part of `meta/v1 Status` that is read here. */
interface StatusDocument {
  readonly kind?: string;
  readonly reason?: string;
  readonly message?: string;
  readonly details?: { readonly name?: string; readonly retryAfterSeconds?: number };
}

/** A server that asks for more than this is not waited for in one go. */
const retryAfterMsMax = 30_000;

export class KubernetesError extends Error {
  /** Whether the cluster refuses it, so that trying again is of no use. */
  readonly isRefused: boolean;

  constructor(
    message: string,
    { isRefused, cause }: { readonly isRefused: boolean; readonly cause: unknown },
  ) {
    super(message, { cause });
    this.name = 'KubernetesError';
    this.isRefused = isRefused;
  }
}

/** What was tried: `create` on `pods` in namespace `headrace`. */
export interface ApiAction {
  readonly verb: 'create' | 'get' | 'list' | 'watch' | 'delete';
  readonly resource: string;
  readonly namespace: string;
}

export function explainApiError(error: unknown, { verb, resource, namespace }: ApiAction): KubernetesError {
  const what = `${verb} ${resource} in namespace ${namespace}`;
  const code = codeOf(error);
  const { message = '' } = statusOf(error);
  const refuse = (text: string) => new KubernetesError(text, { isRefused: true, cause: error });
  if (code === 401)
    return refuse(
      `Kubernetes does not know who asks (401 when trying to ${what}): the token of Headrace’s service account is missing, expired or of another cluster`,
    );
  if (code === 403 && /exceeded quota/.test(message))
    return refuse(`the quota of namespace ${namespace} is used up: ${message}`);
  if (code === 403 && /violates PodSecurity/.test(message))
    return refuse(`the Pod security rules of namespace ${namespace} refuse it: ${message}`);
  if (code === 403)
    return refuse(
      `Headrace’s service account may not ${verb} ${resource} in namespace ${namespace}: give its role the verb “${verb}” on “${resource}” (${message || '403'})`,
    );
  if (code !== null && code < 500 && code !== 429 && code !== 408 && code !== 409)
    return refuse(`Kubernetes refuses to ${what} (${code}): ${message || String(error)}`);
  if (code === null && !isOfNetwork(error))
    return refuse(`Headrace cannot ask Kubernetes to ${what}: ${reasonOf(error)}`);
  const answer = code === null ? reasonOf(error) : `${code} ${message}`.trim();
  return new KubernetesError(`the Kubernetes API did not ${what}: ${answer}`, {
    isRefused: false,
    cause: error,
  });
}

/** How long to wait before the same request may be sent again; null where that is of no use. */
export function retryDelayMs(error: unknown, failures: number): number | null {
  const code = codeOf(error);
  const isPassing = code === null ? isOfNetwork(error) : code === 429 || code === 408 || code >= 500;
  if (!isPassing) return null;
  const asked = error instanceof ApiException ? Number(error.headers['retry-after']) : Number.NaN;
  if (Number.isFinite(asked)) return Math.min(asked * 1000, retryAfterMsMax);
  return Math.min(100 * 2 ** failures, 5_000);
}

/** Null where there was no answer. */
export function codeOf(error: unknown): number | null {
  if (error instanceof ApiException) return error.code;
  if (isRecord(error) && typeof error.statusCode === 'number') return error.statusCode;
  return null;
}

/**
 * Whether the API itself says that there is no such object. A proxy that knows no such path answers 404 as well, and that
 * proves nothing.
 */
export function saysNotFound(error: unknown, name: string): boolean {
  const { kind, reason, details } = statusOf(error);
  return codeOf(error) === 404 && kind === 'Status' && reason === 'NotFound' && details?.name === name;
}

function statusOf(error: unknown): StatusDocument {
  if (!(error instanceof ApiException)) return {};
  const { body } = error as { body: unknown };
  if (isRecord(body)) return body;
  try {
    const parsed: unknown = JSON.parse(String(body));
    return isRecord(parsed) ? parsed : {};
  } catch {
    return {};
  }
}

/** `fetch failed` with its cause, a system's code, a time-out; anything else is a setting of ours, which stays as it is. */
function isOfNetwork(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const isFetch = error instanceof TypeError && error.cause !== undefined;
  return isFetch || error.name === 'TimeoutError' || typeof (error as { code?: unknown }).code === 'string';
}

/** Of an error of the network, which wraps what happened. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
