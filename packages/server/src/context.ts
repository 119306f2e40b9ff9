/** Who asks, under which request and API version: what every handler is given beside its parsed request. */
import type { Readable } from 'node:stream';

export interface Principal {
  readonly id: number;
  readonly userName: string;
  readonly isAdmin: boolean;
}

export const apiVersions = ['2.0', '2.1', '2.2', 'headrace'] as const;
export type ApiVersion = (typeof apiVersions)[number];

export interface RequestContext {
  readonly principal: Principal;
  /** Where the token is that of a task; else null. */
  readonly attemptId: number | null;
  readonly requestId: string;
  readonly sourceIp: string;
  /** Scheme, host and port by which the client found this server. */
  readonly origin: string;
  /** What the client calls itself. */
  readonly userAgent: string | null;
  /** The version in the path that was asked; routes below `/api/headrace` and without a version say `headrace`. */
  readonly apiVersion: ApiVersion;
  readonly nowMs: number;
  /** Aborts when the client goes away; long answers (events) end with it. */
  readonly signal: AbortSignal;
  /** Of routes of the kind `stream` only. */
  readonly raw?: RawRequest;
}

/** What such a request has beside its fields. */
export interface RawRequest {
  readonly body: Readable;
  readonly header: (name: string) => string | null;
}
