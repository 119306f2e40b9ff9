/** Calls the command in this process, with a world made for the test. */
import type { CliContext } from '../cli-context.ts';
import { readSettings } from '../config.ts';
import { runCli } from '../run-cli.ts';

export interface Called {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface World extends Partial<Omit<CliContext, 'stdout' | 'stderr' | 'settings'>> {
  readonly environment?: Readonly<Record<string, string>>;
  readonly isTty?: boolean;
  readonly nowMs?: number;
}

/** The clock stands still, and sleeping only lets others run: a test never waits. */
export async function callCli(args: readonly string[], world: World = {}): Promise<Called> {
  const { environment = {}, isTty = false, nowMs = 5_000, ...rest } = world;
  const stdout: string[] = [];
  const stderr: string[] = [];
  const exitCode = await runCli(
    {
      settings: readSettings({ HEADRACE_STATE_DIR: '/nonexistent/headrace', ...environment }),
      stdout: { write: (text) => void stdout.push(text), isTty },
      stderr: { write: (text) => void stderr.push(text), isTty },
      clock: { nowMs: () => nowMs, sleep: () => new Promise((resolve) => setImmediate(resolve)) },
      fetch,
      interrupted: new AbortController().signal,
      readInput: async () => Buffer.alloc(0),
      isInputTty: false,
      confirm: undefined,
      serverCommand: [],
      folder: process.cwd(),
      ...rest,
    },
    args,
  );
  return { exitCode, stdout: stdout.join(''), stderr: stderr.join('') };
}
