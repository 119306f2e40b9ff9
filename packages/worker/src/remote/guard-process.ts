/** Starts the guard of a worker's lease, keeps it running, and tells it of each renewal. */
import { type ChildProcess, spawn } from 'node:child_process';
import path from 'node:path';
import { identifyProcess } from '../hosts/local/processes.ts';
import type { WorkerLog } from '../log.ts';
import { removeLeaseFile, writeLeaseFile } from './lease-file.ts';
import type { WorkerState } from './worker-state.ts';

export interface GuardProcess {
  renewed(overdueAtMs: number): void;
  /** Nothing runs here any more. */
  end(): void;
}

const restartMs = 1_000;

/** It starts with the first lease, before anything that it has to guard. */
export function createGuard(
  { folder, instanceId }: Pick<WorkerState, 'folder' | 'instanceId'>,
  log: WorkerLog,
): GuardProcess {
  const worker = identifyProcess(process.pid);
  let hasBegun = false;
  let isEnded = false;

  function begin(): void {
    const child = spawnGuard(folder, instanceId);
    child.once('error', (error) => log.error({ err: error }, 'the guard of the lease cannot be started'));
    child.once('exit', (code, signal) => {
      if (isEnded) return;
      log.warn({ code, signal }, 'the guard of the lease ended; starting it again');
      setTimeout(begin, restartMs).unref();
    });
    child.unref();
  }

  return {
    renewed(overdueAtMs) {
      writeLeaseFile(folder, { instance_id: instanceId, overdue_at_ms: overdueAtMs, worker });
      if (!hasBegun) begin();
      hasBegun = true;
    },
    end() {
      isEnded = true;
      removeLeaseFile(folder);
    },
  };
}

function spawnGuard(folder: string, instanceId: string): ChildProcess {
  const isSource = import.meta.url.endsWith('.ts');
  const file = path.join(import.meta.dirname, isSource ? 'lease-guard.ts' : 'lease-guard.js');
  const flags = isSource ? ['--conditions=source', '--disable-warning=ExperimentalWarning'] : [];
  // In a session of its own: what ends the worker's process group must not end what guards against it.
  return spawn(process.execPath, [...flags, file, folder, instanceId], {
    cwd: folder,
    detached: true,
    stdio: 'ignore',
    env: {},
  });
}
