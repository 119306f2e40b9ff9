/** A script of a bundle: commands on this machine, with the bundle's server in their environment. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import type { ResolvedBundle, ResolvedScript } from '@headrace/bundle';
import type { CliContext, Output } from '../../cli-context.ts';
import { CommandError, exitCodes } from '../../command-error.ts';
import { type ConnectionOptions, findConnection } from '../../connection.ts';

interface ScriptToRun {
  readonly script: ResolvedScript;
  readonly bundle: ResolvedBundle;
  readonly args: readonly string[];
}

/** Runs in the bundle's folder. Throws when it ends with anything but 0. */
export async function runScript(
  context: CliContext,
  { script, bundle, args }: ScriptToRun,
  options: ConnectionOptions,
): Promise<void> {
  const { baseUrl, token } = await findConnection(context, options);
  const child = spawn('bash', ['-c', script.content, script.name, ...args], {
    cwd: bundle.folder,
    env: {
      ...context.settings.environment,
      DATABRICKS_HOST: baseUrl,
      DATABRICKS_TOKEN: token,
      DATABRICKS_BUNDLE_TARGET: bundle.target,
    },
    stdio: ['inherit', 'pipe', 'pipe'],
  });
  const interrupt = () => child.kill('SIGTERM');
  context.interrupted.addEventListener('abort', interrupt, { once: true });
  forward(child.stdout, context.stdout);
  forward(child.stderr, context.stderr);
  try {
    const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
    if (code === 0) return;
    throw new CommandError(`script ${script.name} ended with ${signal ?? `exit code ${code}`}`, {
      exitCode: exitCodes.failed,
    });
  } catch (error) {
    if (error instanceof CommandError) throw error;
    throw new CommandError(`cannot run script ${script.name}: ${String(error)}`, {
      exitCode: exitCodes.failed,
      cure: 'scripts need bash',
    });
  } finally {
    context.interrupted.removeEventListener('abort', interrupt);
  }
}

function forward(from: Readable, to: Output): void {
  from.setEncoding('utf8').on('data', (text: string) => to.write(text));
}
