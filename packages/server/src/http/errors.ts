/** Whatever a request threw, as the one error body. Only this file knows what Fastify calls its errors. */
import { ApiError } from '@headrace/api';
import { sqlState } from '../db/connect.ts';

/** `bug` is true when the error is ours: it is logged with its cause and tells the caller nothing but the request id. */
export interface Diagnosis {
  readonly error: ApiError;
  readonly bug: boolean;
}

export function diagnose(thrown: unknown, limits: { requestId: string; bodyBytesMax: number }): Diagnosis {
  if (thrown instanceof ApiError) return { error: thrown, bug: thrown.status === 500 };
  const {
    code = '',
    statusCode = 500,
    message = '',
  } = thrown as { code?: string; statusCode?: number; message?: string };
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE' || code === 'FST_REQ_FILE_TOO_LARGE') {
    const text = `the request is larger than the limit of ${limits.bodyBytesMax} bytes`;
    return { error: new ApiError('INVALID_PARAMETER_VALUE', text), bug: false };
  }
  if (statusCode >= 400 && statusCode < 500 && typeof code === 'string') {
    return { error: new ApiError('MALFORMED_REQUEST', message), bug: false };
  }
  const state = sqlState(thrown);
  // Class 22 is "data exception": a value that no schema caught and PostgreSQL cannot hold. The log says which.
  if (state?.startsWith('22')) {
    return {
      error: new ApiError('INVALID_PARAMETER_VALUE', 'a value in the request cannot be stored'),
      bug: true,
    };
  }
  if (isStoreAway(thrown)) {
    return {
      error: new ApiError('TEMPORARILY_UNAVAILABLE', 'the database is not available just now'),
      bug: true,
    };
  }
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return { error: new ApiError('TEMPORARILY_UNAVAILABLE', "the server's disk is full"), bug: true };
  }
  const text = `the server made a mistake; its log says more under request id ${limits.requestId}`;
  return { error: new ApiError('INTERNAL_ERROR', text), bug: true };
}

/** A batch of runs that could not be saved carries the reason as its cause, and that may have one again. */
const causesMax = 5;

/** The database cannot be reached, is starting, stopping or full, or does not answer: the same request may do later. */
export function isStoreAway(thrown: unknown): boolean {
  let error = thrown;
  for (let depth = 0; depth <= causesMax && error instanceof Error; depth += 1, error = error.cause) {
    if (isAwayItself(error)) return true;
  }
  return false;
}

/**
 * Classes 08 (connection), 53 (out of connections, disk or memory), 57P (starting, stopping, ended by an administrator)
 * and 58 (its files); a statement that took too long (57014); a standby (25006).
 */
const awayStates = /^(?:08|53|57P|58|57014$|25006$)/;
const awayCodes = [
  'ECONNREFUSED',
  'ECONNRESET',
  'ETIMEDOUT',
  'EPIPE',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
];
/** The driver gives these no code. */
const awayWordings =
  /^(Connection terminated|timeout exceeded when trying to connect|timeout expired|Query read timeout|Client has encountered a connection error|Client was closed|the server is stopping$)/;

function isAwayItself(error: Error): boolean {
  const state = sqlState(error);
  if (state !== null) return awayStates.test(state);
  const { code = '' } = error as { code?: string };
  return awayWordings.test(error.message) || awayCodes.includes(code);
}
