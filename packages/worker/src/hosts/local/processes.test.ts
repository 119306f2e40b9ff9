import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { hostMark, killMarked } from './processes.ts';

// Elsewhere the system does not show the environment of a process.
test.runIf(process.platform === 'linux')(
  'what a host left behind is ended, also when its folder has letters beyond ASCII',
  async () => {
    const folder = '/home/jörg/.headrace/hosts/default';
    const leftOver = spawn(process.execPath, ['-e', 'console.log(); setInterval(() => {}, 1_000)'], {
      env: { [hostMark]: folder },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    await once(leftOver.stdout, 'data');
    const ended = once(leftOver, 'exit');

    await killMarked(folder);

    const isRunning = leftOver.exitCode === null && leftOver.signalCode === null;
    if (isRunning) setTimeout(() => leftOver.kill('SIGTERM'), 500);
    expect((await ended)[1]).toBe('SIGKILL');
  },
);
