/** Whatever a request threw, as the one error body. Only this file knows what Fastify calls its errors. */
import { ApiError } from '@headrace/api';
import { sqlState } from '../db/connect.ts';
import { isStoreAway } from '../db/store-away.ts';

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
