/** Runs the server's program for a short task on a state folder; it knows the store, this command does not. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import type { CliContext } from '../cli-context.ts';
import { CommandError, exitCodes } from '../command-error.ts';

export interface ServerTask {
  readonly stateDir: string;
  readonly args: readonly string[];
  readonly cure: string;
}

/** What the task says to people; its log lines are left out unless it fails. */
export async function callServer(context: CliContext, { stateDir, args, cure }: ServerTask): Promise<string> {
  const child = spawn(process.execPath, [...context.serverCommand, ...args], {
    cwd: path.dirname(stateDir),
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...context.settings.environment, HEADRACE_STATE_DIR: stateDir, HEADRACE_LOG_LEVEL: 'warn' },
  });
  const stop = () => child.kill('SIGTERM');
  context.interrupted.addEventListener('abort', stop, { once: true });
  let said = '';
  let complained = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complained += text;
  });
  const [code] = (await once(child, 'close')) as [number | null];
  context.interrupted.removeEventListener('abort', stop);
  if (code === 0) return said.trimEnd();
  const sentences = complained.split('\n').filter((line) => line !== '' && !line.startsWith('{'));
  const message =
    sentences.join('\n').replace(/^headrace: /, '') || `the server's program ended with ${code}`;
  throw new CommandError(message, { exitCode: exitCodes.failed, cure });
}
