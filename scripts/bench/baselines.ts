/** What a process costs at least on this machine at this moment: no number of another moment can be compared with. */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { type HostRuntime, preimportDefault, readHostRuntime } from '@headrace/worker';

export const repository = fileURLToPath(new URL('../../', import.meta.url));

export function readRuntime(): HostRuntime {
  return readHostRuntime(path.join(repository, '.runtime/runtime.json'));
}

/** Milliseconds for so many bare Pythons, one after the other. */
export function timeBarePythons({ python }: HostRuntime, count: number): number {
  const startedAt = performance.now();
  for (let index = 0; index < count; index++) spawnSync(python, ['-I', '-S', '-c', 'pass']);
  return performance.now() - startedAt;
}

/** One process with what the host's zygote has imported, forking and waiting in a loop. */
export function timeBareForks(
  { python }: HostRuntime,
  count: number,
  preimport: readonly string[] = preimportDefault,
): number {
  const script = `
import importlib, os, time
for name in ${JSON.stringify(preimport)}:
    importlib.import_module(name)
began = time.perf_counter()
for _ in range(${count}):
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
print((time.perf_counter() - began) * 1000)
`;
  const { stdout, stderr } = spawnSync(python, ['-c', script], { encoding: 'utf8' });
  const elapsedMs = Number.parseFloat(stdout);
  if (Number.isNaN(elapsedMs)) throw new Error(`the fork baseline failed: ${stderr}`);
  return elapsedMs;
}
