/** How many tasks the server of a state folder runs on this machine: they end when it is stopped with its hosts. */
import path from 'node:path';
import { createClient } from '@headrace/api';
import { z } from 'zod';
import type { CliContext } from '../cli-context.ts';
import { findServer } from './find-server.ts';
import { addressOf, readJson } from './server-file.ts';

const KeptWorker = z.looseObject({ worker_id: z.string() });
/** A server that does not answer is stopped all the same. */
const answerMsMax = 3_000;

/** 0 where nobody can tell. */
export async function countRunning(context: CliContext, stateDir: string): Promise<number> {
  const server = await findServer(stateDir);
  const kept = KeptWorker.safeParse(await readJson(path.join(stateDir, 'settings.json')));
  if (server?.file === undefined || !kept.success) return 0;
  const { token } = server.file;
  const baseUrl = addressOf(server.file);
  try {
    const client = createClient({ baseUrl, token, fetch: context.fetch });
    const { workers } = await client.status({}, { signal: AbortSignal.timeout(answerMsMax) });
    return workers.find(({ worker_id }) => worker_id === kept.data.worker_id)?.running ?? 0;
  } catch {
    return 0;
  }
}
