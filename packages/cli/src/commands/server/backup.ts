/** `headrace backup` */
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { Command } from 'commander';
import type { CliContext } from '../../cli-context.ts';
import { callServer } from '../../local/call-server.ts';
import { print } from '../../output/print.ts';
import { example } from '../example.ts';

interface Options {
  readonly stateDir?: string;
  readonly to: string;
  readonly withSecretsKey?: boolean;
}

export function createBackupCommand(context: CliContext): Command {
  return new Command('backup')
    .description('copy the state of this machine’s server: its store and its files, while it runs')
    .requiredOption('--to <place>', 'a new or empty folder, or a file ending in .tar, .tar.gz or .tgz')
    .option('--with-secrets-key', 'put the key that seals secrets in it too: whoever has it can read them')
    .option('--state-dir <dir>', 'folder of the server (default: ~/.headrace)')
    .addHelpText('after', example('backup', 'backup --to /backups/headrace-monday.tar.gz'))
    .action(async (options: Options) => {
      const stateDir = path.resolve(context.folder, options.stateDir ?? context.settings.stateDir);
      const to = path.resolve(context.folder, options.to);
      await mkdir(path.dirname(to), { recursive: true });
      const cure = 'nothing was left at that place; run the command again when this is mended';
      print(
        context,
        await callServer(context, {
          stateDir,
          args: ['backup', to, ...(options.withSecretsKey ? ['--with-secrets-key'] : [])],
          cure,
        }),
      );
    });
}
