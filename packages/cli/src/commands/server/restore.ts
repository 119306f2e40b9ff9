/** `headrace restore` */
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { Command } from 'commander';
import type { CliContext } from '../../cli-context.ts';
import { callServer } from '../../local/call-server.ts';
import { note, print } from '../../output/print.ts';
import { example } from '../example.ts';

interface Options {
  readonly stateDir?: string;
  readonly from: string;
}

export function createRestoreCommand(context: CliContext): Command {
  return new Command('restore')
    .description('put a backup into a new state folder')
    .requiredOption('--from <place>', 'the folder or file that `headrace backup` made')
    .option('--state-dir <dir>', 'folder to make; it must be empty or not exist (default: ~/.headrace)')
    .addHelpText(
      'after',
      example('restore', 'restore --from /backups/headrace-monday.tar.gz --state-dir ./state'),
    )
    .action(async (options: Options) => {
      const stateDir = path.resolve(context.folder, options.stateDir ?? context.settings.stateDir);
      const from = path.resolve(context.folder, options.from);
      await mkdir(path.dirname(stateDir), { recursive: true });
      const cure = 'nothing was restored; run the command again when this is mended';
      print(context, await callServer(context, { stateDir, args: ['restore', from], cure }));
      note(context, `start it with \`headrace up --state-dir ${stateDir}\``);
    });
}
