/** Whether a Spark master answers, and the address of this machine on the way to it. */
import net from 'node:net';

/** A machine that does not answer within this is off, or behind a wall. */
const connectWaitMs = 10_000;
const masterForm = /^spark:\/\/[A-Za-z0-9._-]+:\d{1,5}(,[A-Za-z0-9._-]+:\d{1,5})*$/;

/** What is wrong with the two settings. Several masters, of which one leads, are `spark://a:7077,b:7077`. */
export function checkMaster(backend: string, master: string | null): string[] {
  if (master === null) {
    if (backend !== 'spark-standalone') return [];
    return [
      'HEADRACE_SPARK_MASTER: HEADRACE_BACKEND=spark-standalone needs it, like spark://spark.example:7077',
    ];
  }
  const isOne = masterForm.test(master) && splitMaster(master).every(({ port }) => port > 0 && port < 65_536);
  if (isOne) return [];
  return [`HEADRACE_SPARK_MASTER: ${master} is no master of Spark; write it like spark://spark.example:7077`];
}

export function splitMaster(master: string): { readonly host: string; readonly port: number }[] {
  return master
    .replace('spark://', '')
    .split(',')
    .map((place) => {
      const [host = '', port = ''] = place.split(':');
      return { host, port: Number(port) };
    });
}

/** The address of this machine; rejects with a sentence when none of the masters answers. */
export async function reachMaster(
  master: string,
  { waitMs = connectWaitMs, signal }: { readonly waitMs?: number; readonly signal?: AbortSignal } = {},
): Promise<string> {
  const failures: string[] = [];
  for (const place of splitMaster(master)) {
    const found = await connect(place, waitMs, signal);
    if ('address' in found) return found.address;
    failures.push(found.failure);
  }
  const reasons = [...new Set(failures)].join('; ');
  throw new Error(
    `Spark's master ${master} cannot be reached (${reasons}): is it running, and its port open?`,
  );
}

function connect(
  { host, port }: { readonly host: string; readonly port: number },
  waitMs: number,
  signal: AbortSignal | undefined,
): Promise<{ readonly address: string } | { readonly failure: string }> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ host, port, timeout: waitMs, ...(signal && { signal }) });
    socket.once('connect', () => {
      resolve({ address: socket.localAddress ?? '127.0.0.1' });
      socket.destroy();
    });
    socket.once('timeout', () => {
      resolve({ failure: `no answer within ${waitMs / 1000} s` });
      socket.destroy();
    });
    socket.once('error', (error) => {
      if (signal?.aborted) reject(signal.reason);
      else resolve({ failure: error.message });
    });
  });
}
