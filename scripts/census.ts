/**
 * Finds processes that a test run has left behind. Every process of a run inherits its marker variable; Linux shows
 * a process's first environment in /proc/<pid>/environ, also when it was re-parented or is a fork without exec.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

export const MARKER = 'HEADRACE_TEST_RUN';

// A drained server stops its hosts within 10 s; on two busy cores a JVM needs a few seconds more to end.
const GRACE_MS = 20_000;

export interface LeftProcess {
  readonly pid: number;
  readonly command: string;
}

/** Null where the system has no /proc to ask. */
export function findMarked(runId: string): readonly LeftProcess[] | null {
  if (!existsSync('/proc/self/environ')) return null;
  const marked: LeftProcess[] = [];
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    const environment = readOrNull(`/proc/${pid}/environ`);
    if (environment === null || !environment.split('\0').includes(`${MARKER}=${runId}`)) continue;
    const command = readOrNull(`/proc/${pid}/cmdline`) ?? '';
    // A zombie has no command line: it is dead and waits only for its parent to notice.
    if (command !== '') marked.push({ pid, command: command.replaceAll('\0', ' ').trim().slice(0, 200) });
  }
  return marked;
}

/** What is still there after the grace. */
export async function takeCensus(runId: string, { graceMs = GRACE_MS } = {}) {
  const deadlineMs = performance.now() + graceMs;
  for (;;) {
    const left = findMarked(runId);
    if (left === null || left.length === 0 || performance.now() > deadlineMs) return left;
    await sleep(200);
  }
}

function readOrNull(path: string) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // Gone since we listed it, or another user's: not ours to judge.
    return null;
  }
}
