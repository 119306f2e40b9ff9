/** `headrace worker`: this machine runs attempts for a server elsewhere. */
import path from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import type { CliContext } from '../../cli-context.ts';
import { CommandError, type ExitCode, exitCodes } from '../../command-error.ts';
import { runWorker } from '../../local/run-worker.ts';
import { findAuthority } from '../../local/trust-authority.ts';
import { findWorkerCommand } from '../../local/worker-command.ts';
import { example } from '../example.ts';

interface Options {
  readonly server?: string;
  readonly token?: string;
  readonly tokenFile?: string;
  readonly labels?: string;
  readonly slots?: number;
  readonly dataRoot?: string;
  readonly stateDir?: string;
  readonly drainSeconds?: number;
}

export function createWorkerCommand(
  context: CliContext,
  command: readonly string[] = findWorkerCommand(),
): Command {
  return new Command('worker')
    .description('run attempts on this machine for a server elsewhere, until it is told to stop')
    .option(
      '--server <urls>',
      'address of the server, or several that share a store, with commas between (default: HEADRACE_HOST)',
    )
    .option(
      '--token-file <file>',
      'file with a token that `headrace workers create-token` made (default: HEADRACE_TOKEN)',
    )
    .option('--token <token>', 'the token itself; others on this machine can see it')
    .option('--labels <labels>', 'what this machine is or has: a=b,c=d')
    .option('--slots <n>', 'attempts that run at the same time (default: 8)', parseCount)
    .option(
      '--data-root <dir>',
      "the server's data root, reachable under the same path (default: as the server says)",
    )
    .option('--state-dir <dir>', 'folder of this worker: its id and its hosts (default: ~/.headrace-worker)')
    .option('--drain-seconds <n>', 'how long SIGTERM waits for what runs (default: 600)', parseCount)
    .addHelpText(
      'after',
      example('worker --server https://headrace.example:8080 --token-file ./token --labels zone=a --slots 4'),
    )
    .action(async (options: Options) => {
      const end = await runWorker(command, toEnvironment(context, options));
      if (end === 0) return;
      if (typeof end === 'string') {
        throw new CommandError(`the worker was ended by ${end}`, {
          exitCode: exitCodes.failed,
          cure: 'what it runs goes on: started again before its lease ends, it takes its tasks back',
        });
      }
      // It has said why.
      throw new CommandError(`the worker ended with exit code ${end}`, { exitCode: toExitCode(end) });
    });
}

function toEnvironment(context: CliContext, options: Options) {
  const { settings, folder } = context;
  const { environment } = settings;
  const resolve = (file: string | undefined) => file && path.resolve(folder, file);
  const hasToken = options.token !== undefined || options.tokenFile !== undefined;
  return {
    ...environment,
    // Of a server of this machine; elsewhere there is none, and the variable stays as it is.
    NODE_EXTRA_CA_CERTS: environment.NODE_EXTRA_CA_CERTS ?? findAuthority(settings.stateDir),
    HEADRACE_SERVER: options.server ?? settings.headrace.host,
    HEADRACE_TOKEN: hasToken ? options.token : settings.headrace.token,
    HEADRACE_TOKEN_FILE: resolve(options.tokenFile),
    HEADRACE_WORKER_LABELS: options.labels ?? environment.HEADRACE_WORKER_LABELS,
    HEADRACE_SLOTS: options.slots?.toString() ?? environment.HEADRACE_SLOTS,
    HEADRACE_DATA_ROOT: resolve(options.dataRoot) ?? environment.HEADRACE_DATA_ROOT,
    HEADRACE_STATE_DIR: resolve(options.stateDir) ?? `${settings.stateDir}-worker`,
    HEADRACE_RUNTIME_DIR: settings.runtimeDir,
    HEADRACE_DRAIN_MS:
      options.drainSeconds === undefined
        ? environment.HEADRACE_DRAIN_MS
        : String(options.drainSeconds * 1000),
  };
}

function toExitCode(code: number): ExitCode {
  return Object.values(exitCodes).find((known) => known === code) ?? exitCodes.failed;
}

function parseCount(text: string): number {
  const count = Number(text);
  if (!/^\d+$/.test(text) || count > 86_400) throw new InvalidArgumentError('expected a whole number.');
  return count;
}
