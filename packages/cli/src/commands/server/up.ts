/** `headrace up` */
import path from 'node:path';
import { createClient } from '@headrace/api';
import { Command } from 'commander';
import type { CliContext } from '../../cli-context.ts';
import { CommandError, exitCodes } from '../../command-error.ts';
import { addressOf } from '../../local/server-file.ts';
import { type StartedServer, startServer, type TlsOptions } from '../../local/start-server.ts';
import { stopServer } from '../../local/stop-server.ts';
import { note, print } from '../../output/print.ts';
import { example } from '../example.ts';
import { parsePort } from '../parse-options.ts';

interface Options {
  readonly stateDir?: string;
  readonly port?: number;
  readonly roles?: string;
  readonly tls?: boolean;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly detach?: boolean;
}

export function createUpCommand(context: CliContext): Command {
  return new Command('up')
    .description('start the server on this machine; Ctrl-C stops it and all it started')
    .option('--state-dir <dir>', 'folder for everything the server keeps (default: ~/.headrace)')
    .option(
      '--port <port>',
      'port to listen on, 0 for a free one that the folder keeps (default: 8080)',
      parsePort,
    )
    .option(
      '--roles <roles>',
      'what this server does, of api,scheduler,worker (default: all); others share its PostgreSQL',
    )
    .option('--tls', 'https, with a certificate of an authority that the folder keeps: docs/tls.md')
    .option('--tls-cert <file>', 'https, with this certificate (PEM)')
    .option('--tls-key <file>', 'the private key of --tls-cert (PEM)')
    .option('-d, --detach', 'return when the server is ready, and leave it running')
    .addHelpText('after', example('up', 'up --state-dir ./state --port 0 --detach'))
    .action(async (options: Options) => {
      const stateDir = path.resolve(context.folder, options.stateDir ?? context.settings.stateDir);
      note(context, `starting on ${stateDir} …`);
      const { port, roles } = options;
      const server = await startServer(context, { stateDir, port, roles, tls: readTls(context, options) });
      if (server.announcement.trim() !== '') print(context, server.announcement.trimEnd());
      print(context, `Headrace is ready: ${server.file.url}`);
      await printSignInLink(context, server);
      const flag = options.stateDir === undefined ? '' : ` --state-dir ${options.stateDir}`;
      if (options.detach) note(context, `it runs on ${stateDir}; stop it with \`headrace down${flag}\``);
      else await stayWith(context, server, stateDir);
    });
}

function readTls({ folder }: CliContext, { tls, tlsCert, tlsKey }: Options): TlsOptions {
  const resolve = (file: string | undefined) => file && path.resolve(folder, file);
  return { isLocal: tls ?? false, certificateFile: resolve(tlsCert), keyFile: resolve(tlsKey) };
}

async function printSignInLink(context: CliContext, { file }: StartedServer): Promise<void> {
  if (!(await hasPages(context, addressOf(file)))) {
    print(
      context,
      'The web UI is not built: `npm run build` in the checkout makes it; the API and this command work',
    );
    return;
  }
  const client = createClient({ baseUrl: addressOf(file), token: file.token, fetch: context.fetch });
  const link = await client.signInLinksCreate({});
  print(context, `Sign in once with:  ${link.url}`);
}

/** A link into a UI that is not there would lead to an error. */
async function hasPages(context: CliContext, url: string): Promise<boolean> {
  try {
    const response = await context.fetch(url, { headers: { accept: 'text/html' } });
    await response.body?.cancel();
    return response.status !== 404;
  } catch {
    return true; // Whatever it is, the link will tell.
  }
}

/** Until the server ends or somebody stops it. Ctrl-C leaves nothing running. */
async function stayWith(context: CliContext, server: StartedServer, stateDir: string): Promise<void> {
  note(context, 'Ctrl-C stops it');
  const interrupted = new Promise<undefined>((resolve) => {
    if (context.interrupted.aborted) resolve(undefined);
    context.interrupted.addEventListener('abort', () => resolve(undefined), { once: true });
  });
  const end = await Promise.race([server.ended, interrupted]);
  if (end === undefined) {
    note(context, '\nstopping …');
    await stopServer(context, stateDir);
    await server.ended;
    return;
  }
  // `headrace down` from elsewhere ends it in good order.
  if (end === 'exit code 0' || end === 'SIGTERM') return;
  throw new CommandError(`the server ended: ${end}`, {
    exitCode: exitCodes.failed,
    cure: `its log is ${path.join(stateDir, 'server.log')}; \`headrace up\` starts it again where it was`,
  });
}
