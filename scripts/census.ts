/**
 * Finds processes that a run of the tests (or the demo) has left behind. Ours pass only a few variables on to what they
 * start, so a process belongs to the run if it inherited the run's marker, or if the run's temporary folder appears
 * among its arguments, in its environment or as its working folder. Linux shows all of these in /proc/<pid>/, also
 * for a process that was re-parented and for a fork without exec.
 */
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

export const MARKER = 'HEADRACE_TEST_RUN';

// A drained server stops its hosts within 10 s; on two busy cores a JVM needs a few seconds more to end.
const GRACE_MS = 20_000;

export interface RunMarks {
  /** The marker's value. */
  readonly runId: string;
  /** Everything the run writes is below it. */
  readonly folder: string;
}

export interface LeftProcess {
  readonly pid: number;
  readonly command: string;
}

/** Null where the system has no /proc to ask. */
export function findMarked(marks: RunMarks): readonly LeftProcess[] | null {
  if (!existsSync('/proc/self/environ')) return null;
  const marked: LeftProcess[] = [];
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    const command = readOrNull(`/proc/${pid}/cmdline`)?.replaceAll('\0', ' ').trim() ?? '';
    // A zombie has no command line: it is dead and waits only for its parent to notice.
    if (command !== '' && isOfRun(pid, command, marks)) marked.push({ pid, command: command.slice(0, 200) });
  }
  return marked;
}

/** What is still there after the grace. */
export async function takeCensus(marks: RunMarks, { graceMs = GRACE_MS } = {}) {
  const deadlineMs = performance.now() + graceMs;
  for (;;) {
    const left = findMarked(marks);
    if (left === null || left.length === 0 || performance.now() > deadlineMs) return left;
    await sleep(200);
  }
}

function isOfRun(pid: number, command: string, { runId, folder }: RunMarks) {
  if (command.includes(folder)) return true;
  const environment = readOrNull(`/proc/${pid}/environ`) ?? '';
  if (environment.includes(folder) || environment.split('\0').includes(`${MARKER}=${runId}`)) return true;
  return workingFolder(pid)?.startsWith(folder) ?? false;
}

function workingFolder(pid: number) {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    // As below.
    return null;
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
