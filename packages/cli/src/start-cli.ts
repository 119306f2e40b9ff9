/** The only composer: gives the commands the real world, and the process its exit code. */
import { createInterface } from 'node:readline/promises';
import { buffer } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import type { CliContext, Clock, Output } from './cli-context.ts';
import { readSettings } from './config.ts';
import { openLineEditor } from './line-editor.ts';
import { findServerCommand } from './local/server-command.ts';
import { trustAuthority } from './local/trust-authority.ts';
import { openPage } from './open-page.ts';
import { runCli } from './run-cli.ts';

const interruption = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => interruption.abort(signal));
}
// A reader that has seen enough (`| head`) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

const clock: Clock = {
  nowMs: () => Date.now(),
  sleep: (elapsedMs, signal) =>
    delay(elapsedMs, undefined, signal === undefined ? {} : { signal }).catch(() => {
      // Aborted: the caller looks at its signal.
    }),
};

function toOutput(stream: NodeJS.WriteStream): Output {
  return {
    write: (text) => void stream.write(text),
    isTty: stream.isTTY === true,
    get columns() {
      return stream.columns;
    },
  };
}

async function confirm(question: string): Promise<boolean> {
  return /^y(es)?$/i.test((await ask(`${question} [y/N]`)).trim());
}

/** '' when it is interrupted. */
async function ask(question: string): Promise<string> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await terminal.question(`${question} `, { signal: interruption.signal });
  } catch (error) {
    if (interruption.signal.aborted) return '';
    throw error;
  } finally {
    terminal.close();
  }
}

const settings = readSettings();
// Looking at authorities takes milliseconds, which a command that talks to the folder's own server need not spend.
if (/^(?!http:)./.test(settings.headrace.host ?? settings.databricks.host ?? 'http:'))
  trustAuthority(settings.stateDir);

const context: CliContext = {
  settings,
  stdout: toOutput(process.stdout),
  stderr: toOutput(process.stderr),
  clock,
  fetch,
  interrupted: interruption.signal,
  readInput: () => buffer(process.stdin),
  isInputTty: process.stdin.isTTY === true,
  confirm: process.stdin.isTTY && process.stderr.isTTY ? confirm : undefined,
  ask: process.stdin.isTTY && process.stderr.isTTY ? ask : undefined,
  openLineEditor: process.stdin.isTTY && process.stdout.isTTY ? openLineEditor : undefined,
  openPage: process.stdout.isTTY
    ? (url) => openPage(url, { platform: process.platform, environment: settings.environment })
    : undefined,
  serverCommand: findServerCommand(),
  folder: process.cwd(),
};

process.exitCode = await runCli(context, process.argv.slice(2));
// A stream that is still open must not keep the command alive; what was written is flushed first.
await Promise.all(
  [process.stdout, process.stderr].map((stream) => new Promise((resolve) => stream.write('', resolve))),
);
process.exit();
