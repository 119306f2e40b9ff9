/**
 * The client of an S3-compatible server, with the limits of every request. The library signs, and repeats what failed
 * for the moment: with jitter, longer after 503 SlowDown, and less and less when nothing but failures comes back.
 */
import { S3Client, S3ServiceException } from '@aws-sdk/client-s3';
import { ApiError } from '@headrace/api';
import type { S3Credentials, S3Settings } from './s3-settings.ts';

export interface S3Limits {
  readonly connectMs: number;
  /** Of one request, up to its last byte sent and its answer's first one; then without a byte for as long. */
  readonly requestMs: number;
  /** How often one request is sent at most. */
  readonly attemptsMax: number;
}

/** A part of 8 MiB passes in 30 s on 2.2 Mbit/s; five tries wait 0.8 s together on average, 3.8 s when throttled. */
const defaultLimits: S3Limits = { connectMs: 5_000, requestMs: 30_000, attemptsMax: 5 };
/** A change of the workspace holds a transaction open, so it gives up sooner: a bucket that hangs must not take them all. */
export const changeLimits: S3Limits = { connectMs: 2_000, requestMs: 10_000, attemptsMax: 3 };
/** Connections; further requests wait for one. */
const connectionsMax = 32;
/** Amazon's own servers take no longer key. */
export const objectKeyBytesMax = 1_024;

export interface S3Bucket {
  readonly client: S3Client;
  readonly bucket: string;
  readonly prefix: string;
  readonly attemptsMax: number;
}

/** Without credentials: what the standard places of AWS hold (profile, container, machine). */
export function openBucket(
  settings: S3Settings,
  credentials: S3Credentials | null,
  limits: S3Limits = defaultLimits,
): S3Bucket {
  const agent = { keepAlive: true, maxSockets: connectionsMax };
  const client = new S3Client({
    ...(settings.region === null ? {} : { region: settings.region }),
    // The signature needs a region, and servers other than Amazon's take any.
    ...(settings.region === null && settings.endpoint !== null ? { region: 'us-east-1' } : {}),
    ...(settings.endpoint === null ? {} : { endpoint: settings.endpoint }),
    ...(credentials ? { credentials } : {}),
    forcePathStyle: settings.isPathStyle,
    // The signature covers a hash of the content already; older servers refuse the newer checksums.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    retryMode: 'standard',
    maxAttempts: limits.attemptsMax,
    requestHandler: {
      connectionTimeout: limits.connectMs,
      requestTimeout: limits.requestMs,
      throwOnRequestTimeout: true,
      socketTimeout: limits.requestMs,
      httpAgent: agent,
      httpsAgent: agent,
    },
  });
  return { client, bucket: settings.bucket, prefix: settings.prefix, attemptsMax: limits.attemptsMax };
}

/** There is no such object. A bucket that is not there is another matter. */
export function isNoObject(error: unknown): boolean {
  return hasName(error, 'NoSuchKey', 'NotFound');
}

export function hasName(error: unknown, ...names: string[]): boolean {
  return error instanceof Error && names.includes(error.name);
}

const passingStatuses = [408, 429, 500, 502, 503, 504];

/** Whether the same request may do later: no answer came at all, or one that says so. */
export function isPassing(error: unknown): boolean {
  if (!(error instanceof S3ServiceException)) return isNetworkError(error);
  const status = error.$metadata.httpStatusCode ?? 0;
  return passingStatuses.includes(status) || error.$retryable !== undefined;
}

function isNetworkError(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code = '' } = error as { code?: unknown };
  return error.name === 'TimeoutError' || (typeof code === 'string' && /^E[A-Z_]+$/.test(code));
}

/**
 * For whoever asked: 503 when it may do later, else an error for the log. The library's own error holds the whole
 * answer and goes no further: it is logged as one line.
 */
export function explain(error: unknown, { bucket, prefix }: S3Bucket, what: string): Error {
  if (error instanceof ApiError) return error;
  const cause = new Error(describe(error));
  if (isPassing(error)) {
    const away = new ApiError('TEMPORARILY_UNAVAILABLE', 'the blob store is not available just now');
    away.cause = new Error(`cannot ${what} in s3://${bucket}/${prefix}`, { cause });
    return away;
  }
  return new Error(`cannot ${what} in s3://${bucket}/${prefix}`, { cause });
}

export function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (!(error instanceof S3ServiceException)) return `${error.name}: ${error.message}`;
  const { httpStatusCode, requestId, attempts } = error.$metadata;
  return `${error.name}: ${error.message} (HTTP ${httpStatusCode}, request ${requestId}, attempts ${attempts})`;
}
