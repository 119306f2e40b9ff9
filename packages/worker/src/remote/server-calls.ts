/**
 * Calls to one of several servers that share a store: the next one when the present one is away. After failures calls
 * wait, longer each time and not all workers alike, and as long as a server asks for.
 */
import { ApiError, type Client, createClient, UnreachableError } from '@headrace/api';
import type { WorkerLog } from '../log.ts';
import { waitMs } from '../wait.ts';

export interface ServerCalls {
  /** Of the server that answers now. */
  readonly url: string;
  call<Answer>(
    ask: (client: Client, options: { readonly signal: AbortSignal }) => Promise<Answer>,
    options: { readonly timeoutMs: number; readonly signal: AbortSignal },
  ): Promise<Answer>;
}

export interface ServerCallsOptions {
  readonly servers: readonly string[];
  readonly token: string;
  readonly version: string;
  /** Monotonic. */
  readonly elapsedMs: () => number;
  /** From 0 to 1. */
  readonly random: () => number;
  readonly log: WorkerLog;
  readonly fetch?: typeof fetch;
}

const pauseFirstMs = 100;
/** A server that comes back is found within this. */
const pauseMaxMs = 3_000;
/** A server that asks for longer is asked again all the same: leases do not wait. */
const retryAfterMaxMs = 10_000;

export function createServerCalls(options: ServerCallsOptions): ServerCalls {
  const { servers, token, version, elapsedMs, random, log } = options;
  let retryAfterMs = 0;
  const noting: typeof fetch = async (input, init) => {
    const response = await (options.fetch ?? fetch)(input, init);
    const seconds = Number(response.headers.get('retry-after') ?? 0);
    if ([429, 503].includes(response.status) && seconds > 0)
      retryAfterMs = Math.min(seconds * 1000, retryAfterMaxMs);
    return response;
  };
  const clients = servers.map((baseUrl) =>
    createClient({ baseUrl, token, fetch: noting, userAgent: `headrace-worker/${version}` }),
  );
  let current = 0;
  let failures = 0;
  let pausedUntilMs = 0;

  function pause(): void {
    failures += 1;
    const backOffMs = Math.min(pauseMaxMs, pauseFirstMs * 2 ** Math.min(failures - 1, 10));
    pausedUntilMs = elapsedMs() + Math.max(retryAfterMs, backOffMs * (0.5 + random() / 2));
    retryAfterMs = 0;
  }

  return {
    get url() {
      return servers[current] ?? '';
    },
    async call(ask, { timeoutMs, signal }) {
      const pausedMs = pausedUntilMs - elapsedMs();
      if (pausedMs > 0) await waitMs(pausedMs, signal);
      const asked = current;
      const client = clients[asked];
      if (client === undefined) throw new Error('a worker needs the address of a server');
      const timeout = AbortSignal.timeout(Math.ceil(timeoutMs));
      try {
        const answer = await ask(client, { signal: AbortSignal.any([signal, timeout]) });
        failures = 0;
        return answer;
      } catch (error) {
        if (signal.aborted || !isAway(error, timeout)) throw error;
        // Calls that were under way together move on together.
        if (current === asked) {
          current = (asked + 1) % servers.length;
          if (servers.length > 1) log.info({ server: servers[current] }, 'trying the next server');
          pause();
        }
        throw timeout.aborted ? new UnreachableError(servers[asked] ?? '', error) : error;
      }
    },
  };
}

/** Not reached, too slow, starting, stopping or in trouble: another server, or the same one later, may do. */
function isAway(error: unknown, timeout: AbortSignal): boolean {
  if (timeout.aborted || !(error instanceof ApiError)) return true;
  return error.status >= 500 || error.code === 'REQUEST_LIMIT_EXCEEDED';
}
