/** Runs a worker in a process of its own and stays until it ends: with which code, or by which signal. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export async function runWorker(
  command: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Promise<number | NodeJS.Signals> {
  // In a group of its own: a terminal sends Ctrl-C to a whole group, and a second signal means to leave at once.
  const child = spawn(process.execPath, [...command], {
    detached: true,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: environment,
  });
  const forward = () => void child.kill('SIGTERM');
  for (const signal of signals) process.on(signal, forward);
  try {
    const [code, signal] = (await once(child, 'exit')) as [number, null] | [null, NodeJS.Signals];
    return code ?? signal;
  } finally {
    for (const signal of signals) process.off(signal, forward);
  }
}
