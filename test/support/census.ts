/** Which processes belong to a folder: each names it in its command line or environment. For "nothing is left" checks. */
import fs from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

/** Linux only; elsewhere the census finds nothing, and CI counts. */
export async function findProcessesOf(folder: string): Promise<string[]> {
  const pids = (await fs.readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const [commandLine, environment] = await Promise.all(
        ['cmdline', 'environ'].map((file) => fs.readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '')),
      );
      const belongs = `${commandLine}\0${environment}`.includes(folder);
      return belongs && Number(pid) !== process.pid ? `${pid} ${commandLine?.replaceAll('\0', ' ')}` : null;
    }),
  );
  return found.filter((line) => line !== null);
}

/** Polls until it holds; fails with what the last look saw. */
export async function waitUntil(
  what: string,
  holds: () => Promise<boolean> | boolean,
  timeoutMs = 30_000,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await delay(10);
  }
}
