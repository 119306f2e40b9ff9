/**
 * One folder for the whole test run, with at most one PostgreSQL in it, started by the first test file that wants a
 * database. A guard outside of this process stops that PostgreSQL and removes the folder when its input closes:
 * also when the run is killed.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  export interface ProvidedContext {
    headraceTestFolder: string;
  }
}

const guardScript = `
  cat > /dev/null
  pid=$(head -n 1 "$0/postgres/data/postmaster.pid" 2> /dev/null)
  if [ -n "$pid" ]; then
    kill -INT "$pid"
    while kill -0 "$pid" 2> /dev/null; do sleep 0.02; done
  fi
  rm -rf "$0"`;

export default function setup(project: TestProject): () => Promise<void> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'headrace-test-'));
  // Others pass through: PostgreSQL runs as another user when the tests run as root.
  fs.chmodSync(folder, 0o711);
  // Its own session: a Ctrl-C for the tests must not end the one that cleans up after them.
  const guard = spawn('/bin/sh', ['-c', guardScript, folder], {
    stdio: ['pipe', 'ignore', 'inherit'],
    detached: true,
  });
  project.provide('headraceTestFolder', folder);
  return async () => {
    const ended = once(guard, 'exit');
    guard.stdin.end();
    await ended;
  };
}
