/** Two servers over one PostgreSQL and one data root: one does everything, the other answers requests only. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Client, createClient } from '@headrace/api';
import { type ServerProcess, startServerProcess } from '../../test/support/server-process.ts';
import { makePostgres } from '../chaos/postgres.ts';
import { listProcesses, sendSignal } from '../chaos/processes.ts';

export interface TwoServers {
  /** Of the one whose worker has the driver. */
  readonly stateDir: string;
  readonly postgresUrl: string;
  readonly whole: Client;
  readonly doors: Client;
  /** `kill -9`, then another process on the same folder and address. */
  restartWhole(): Promise<void>;
}

const runtimeDir = fileURLToPath(new URL('../../.runtime', import.meta.url));

export async function withTwoServers(use: (servers: TwoServers) => Promise<void>): Promise<void> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sql-two-'));
  fs.chmodSync(folder, 0o711); // PostgreSQL is another user when we are root.
  const postgres = await makePostgres(path.join(folder, 'postgres'));
  await postgres.start();
  const stateDir = path.join(folder, 'whole');
  const start = (name: string, more: Readonly<Record<string, string>>) =>
    startServerProcess(path.join(folder, name), {
      HEADRACE_DATABASE_URL: postgres.url,
      HEADRACE_RUNTIME_DIR: runtimeDir,
      ...more,
    });
  const startWhole = () => start('whole', { HEADRACE_BACKEND: 'local' });
  const running: ServerProcess[] = [];
  try {
    let whole = await startWhole();
    running.push(whole);
    const token = /shown only now:\s+(\S+)/.exec(whole.output)?.[1] ?? '';
    const doorsDir = path.join(folder, 'doors');
    fs.mkdirSync(doorsDir);
    for (const shared of ['data', 'secrets.key'])
      fs.symlinkSync(path.join(stateDir, shared), path.join(doorsDir, shared));
    const doors = await start('doors', { HEADRACE_BACKEND: 'none', HEADRACE_ROLES: 'api' });
    running.push(doors);
    await use({
      ...{ stateDir, postgresUrl: postgres.url, doors: createClient({ baseUrl: doors.url, token }) },
      get whole() {
        return createClient({ baseUrl: whole.url, token });
      },
      async restartWhole() {
        await whole.kill('SIGKILL');
        whole = await startWhole();
        running[0] = whole;
      },
    });
  } finally {
    for (const server of running) await server.kill('SIGTERM');
    await postgres.stop();
    for (const { pid } of listProcesses(folder)) sendSignal(pid, 'SIGKILL');
    fs.rmSync(folder, { recursive: true, force: true });
  }
}
