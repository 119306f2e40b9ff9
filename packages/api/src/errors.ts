/**
 * The caller's mistakes: every code with its HTTP status, and the one body they all have. Wording lives with the
 * code that throws; what must never stand in a message is listed here.
 */
import { z } from 'zod';

export const errorStatuses = {
  INVALID_PARAMETER_VALUE: 400,
  MALFORMED_REQUEST: 400,
  INVALID_STATE: 400,
  RESOURCE_LIMIT_EXCEEDED: 400,
  MAX_BLOCK_SIZE_EXCEEDED: 400,
  MAX_READ_SIZE_EXCEEDED: 400,
  IO_ERROR: 400,
  UNAUTHENTICATED: 401,
  PERMISSION_DENIED: 403,
  RESOURCE_DOES_NOT_EXIST: 404,
  ENDPOINT_NOT_FOUND: 404,
  RESOURCE_ALREADY_EXISTS: 409,
  RESOURCE_CONFLICT: 409,
  PRECONDITION_FAILED: 412,
  RANGE_NOT_SATISFIABLE: 416,
  REQUEST_LIMIT_EXCEEDED: 429,
  INTERNAL_ERROR: 500,
  NOT_IMPLEMENTED: 501,
  TEMPORARILY_UNAVAILABLE: 503,
} as const;
export type ErrorCode = keyof typeof errorStatuses;

export const ErrorBody = z.looseObject({
  error_code: z.string(),
  message: z.string(),
  details: z.array(z.looseObject({})),
});
export type ErrorBody = z.output<typeof ErrorBody>;
export type ErrorDetail = ErrorBody['details'][number];

/**
 * Public clients take any error whose message holds one of these for a passing one and send the request again for
 * minutes. Source: databricks-sdk 0.162.0 (Apache-2.0), the retry rules of its HTTP client.
 */
export const retryWordings = [
  'com.databricks.backend.manager.util.UnknownWorkerEnvironmentException',
  'does not have any associated worker environments',
  'There is no worker environment with id',
  'Unknown worker environment',
  'ClusterNotReadyException',
  'Unexpected error',
  'Please try again later or try a faster operation.',
  'RPC token bucket limit has been exceeded',
] as const;

export class ApiError extends Error {
  readonly code: ErrorCode;
  readonly status: number;
  readonly details: readonly ErrorDetail[];

  constructor(code: ErrorCode, message: string, details: readonly ErrorDetail[] = []) {
    super(message);
    this.name = 'ApiError';
    this.code = code;
    this.status = errorStatuses[code];
    this.details = details;
  }
}

/** The body on the wire. A message may quote what a user wrote, so the wordings above are taken out here. */
export function toErrorBody(error: ApiError): ErrorBody {
  let message = error.message;
  for (const wording of retryWordings) message = message.replaceAll(wording, swapFirstLetter);
  return { error_code: error.code, message, details: [...error.details] };
}

/** Clients compare with regard to case; a reader hardly notices. */
function swapFirstLetter(wording: string): string {
  const first = wording.charAt(0);
  return (first === first.toLowerCase() ? first.toUpperCase() : first.toLowerCase()) + wording.slice(1);
}

/** The error behind a reply that is not a success, whoever sent it: Headrace, a proxy or a stranger. */
export function toApiError(status: number, body: unknown): ApiError {
  const parsed = ErrorBody.partial({ details: true }).safeParse(body);
  if (!parsed.success)
    return new ApiError(codeOfStatus(status), `the server answered with HTTP status ${status}`);
  const code = isErrorCode(parsed.data.error_code) ? parsed.data.error_code : codeOfStatus(status);
  return new ApiError(code, parsed.data.message, parsed.data.details ?? []);
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(errorStatuses, code);
}

function codeOfStatus(status: number): ErrorCode {
  for (const [code, known] of Object.entries(errorStatuses)) {
    if (known === status && isErrorCode(code) && code !== 'ENDPOINT_NOT_FOUND') return code;
  }
  return status >= 500 ? 'INTERNAL_ERROR' : 'INVALID_PARAMETER_VALUE';
}
