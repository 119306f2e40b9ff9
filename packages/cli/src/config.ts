/** What the command takes from its environment. The only reader of `process.env`. */
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export interface Settings {
  /** Server and token as given, each under our name and under the one that other clients use. */
  readonly headrace: { readonly host: string | undefined; readonly token: string | undefined };
  readonly databricks: { readonly host: string | undefined; readonly token: string | undefined };
  /** Where a server of this machine keeps everything, unless a command says otherwise. */
  readonly stateDir: string;
  /** What set-up made: Python, Java, Spark. */
  readonly runtimeDir: string;
  readonly noColor: boolean;
  /** Handed on to the processes that a command starts. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

export function readSettings(
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Settings {
  // An empty variable counts as unset.
  const text = (name: string) => environment[name] || undefined;
  return {
    headrace: { host: text('HEADRACE_HOST'), token: text('HEADRACE_TOKEN') },
    databricks: { host: text('DATABRICKS_HOST'), token: text('DATABRICKS_TOKEN') },
    stateDir: path.resolve(text('HEADRACE_STATE_DIR') ?? path.join(os.homedir(), '.headrace')),
    runtimeDir: path.resolve(
      text('HEADRACE_RUNTIME_DIR') ?? fileURLToPath(new URL('../../../.runtime', import.meta.url)),
    ),
    // https://no-color.org
    noColor: text('NO_COLOR') !== undefined || text('TERM') === 'dumb',
    environment,
  };
}
