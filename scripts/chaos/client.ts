/** A client as people write them: asks whichever server answers, and again when the answer is lost or "not now". */
import { setTimeout as delay } from 'node:timers/promises';
import { ApiError, type CallOptions, type Client, createClient, UnreachableError } from '@headrace/api';
import type { Violation } from './checks.ts';

export interface PatientClient {
  /** Rejects with what the caller has done wrong, never with an outage. */
  ask<T>(call: (client: Client, options: CallOptions) => Promise<T>): Promise<T>;
  /** Answers that no server may give. */
  readonly violations: Violation[];
  /** Calls that were sent again. */
  readonly repeats: number;
}

const answerMs = 10_000;
const askAgainMs = 300;
const patienceMs = 180_000;

export function createPatientClient(urls: readonly string[], token: string): PatientClient {
  const clients = urls.map((baseUrl) => createClient({ baseUrl, token }));
  const violations: Violation[] = [];
  let repeats = 0;
  let turn = 0;

  async function ask<T>(call: (client: Client, options: CallOptions) => Promise<T>): Promise<T> {
    const deadline = performance.now() + patienceMs;
    for (;;) {
      turn += 1;
      const client = clients[turn % clients.length];
      if (client === undefined) throw new Error('bug: no server to ask');
      try {
        return await call(client, { signal: AbortSignal.timeout(answerMs) });
      } catch (error) {
        if (error instanceof ApiError && error.status === 500)
          violations.push({ check: 'answers', runId: null, atS: null, message: `500: ${error.message}` });
        if (!mayPass(error)) throw error;
        if (performance.now() > deadline)
          throw new Error(`no server has answered for ${patienceMs} ms`, { cause: error });
      }
      repeats += 1;
      await delay(askAgainMs);
    }
  }

  return {
    ask,
    violations,
    get repeats() {
      return repeats;
    },
  };
}

function mayPass(error: unknown): boolean {
  if (error instanceof UnreachableError) return true;
  if (error instanceof ApiError) return error.status >= 500 || error.status === 429;
  return error instanceof DOMException && error.name === 'TimeoutError';
}
