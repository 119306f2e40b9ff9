/** Which server a command talks to, and with whose token. */
import path from 'node:path';
import { type Client, createClient } from '@headrace/api';
import type { Command } from 'commander';
import type { CliContext } from './cli-context.ts';
import { CommandError, exitCodes } from './command-error.ts';
import { addressOf, readServerFile } from './local/server-file.ts';

export interface ConnectionOptions {
  readonly stateDir?: string;
  readonly verbose?: boolean;
}

export interface Connection {
  readonly baseUrl: string;
  readonly token: string;
  /** For people: where both came from. */
  readonly source: string;
  /** Of a local server: it mints another token at each start. */
  readonly stateDir: string | undefined;
}

export function addConnectionOptions(command: Command): Command {
  return command
    .option('--state-dir <dir>', 'talk to the local server of this folder (default: ~/.headrace)')
    .option('-v, --verbose', 'say which server and token are used');
}

/** A busy server takes seconds; one that is frozen would hold the command for minutes. */
const silenceMsMax = 60_000;

export async function connect(context: CliContext, options: ConnectionOptions): Promise<Client> {
  const connection = await findConnection(context, options);
  if (options.verbose) context.stderr.write(`server ${connection.baseUrl}, from ${connection.source}\n`);
  const { baseUrl, token, stateDir } = connection;
  const send = stateDir === undefined ? context.fetch : renewToken(context.fetch, stateDir);
  return createClient({
    ...{ baseUrl, token, fetch: send, userAgent: 'headrace-cli/0.1.0' },
    ...{ signal: context.interrupted, silenceMsMax },
  });
}

/** A command that waits outlives a restart of the local server: it takes up the new token and asks again, once. */
function renewToken(send: typeof fetch, stateDir: string): typeof fetch {
  return async (input, init) => {
    const response = await send(input, init);
    if (response.status !== 401) return response;
    const file = await readServerFile(stateDir);
    const headers = new Headers(init?.headers);
    if (file === undefined || headers.get('authorization') === `Bearer ${file.token}`) return response;
    await response.body?.cancel();
    headers.set('authorization', `Bearer ${file.token}`);
    return send(input, { ...init, headers });
  };
}

/** A folder named on the command line, else our variables, else those of other clients, else the default folder. */
export async function findConnection(context: CliContext, options: ConnectionOptions): Promise<Connection> {
  const { settings } = context;
  if (options.stateDir !== undefined) return connectLocally(path.resolve(context.folder, options.stateDir));
  for (const name of ['headrace', 'databricks'] as const) {
    const { host, token } = settings[name];
    const prefix = name.toUpperCase();
    if (host !== undefined && token !== undefined) {
      return {
        baseUrl: toBaseUrl(host, `${prefix}_HOST`),
        token,
        source: `${prefix}_HOST and ${prefix}_TOKEN`,
        stateDir: undefined,
      };
    }
    if (host !== undefined) {
      throw new CommandError(`${prefix}_HOST is set, but ${prefix}_TOKEN is not`, {
        exitCode: exitCodes.denied,
        cure: `set ${prefix}_TOKEN to a token of that server, or unset ${prefix}_HOST to use the local one`,
      });
    }
  }
  return connectLocally(settings.stateDir);
}

/** A name without a scheme means https, as for other clients. */
function toBaseUrl(host: string, variable: string): string {
  try {
    return new URL(/^https?:\/\//.test(host) ? host : `https://${host}`).origin;
  } catch {
    throw new CommandError(`${variable} is no address: ${host}`, {
      exitCode: exitCodes.usage,
      cure: 'write it like http://127.0.0.1:8080',
    });
  }
}

async function connectLocally(stateDir: string): Promise<Connection> {
  const file = await readServerFile(stateDir);
  if (file === undefined) {
    throw new CommandError(`no server runs on ${stateDir}`, {
      exitCode: exitCodes.unreachable,
      cure: 'start one with `headrace up`, or set HEADRACE_HOST and HEADRACE_TOKEN to use another machine’s',
    });
  }
  const source = path.join(stateDir, 'server.json');
  return { baseUrl: addressOf(file), token: file.token, source, stateDir };
}
