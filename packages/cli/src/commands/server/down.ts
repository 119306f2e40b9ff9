/** `headrace down` */
import path from 'node:path';
import { Command } from 'commander';
import type { CliContext } from '../../cli-context.ts';
import { countRunning } from '../../local/count-running.ts';
import { stopServer } from '../../local/stop-server.ts';
import { count } from '../../output/count.ts';
import { note, print } from '../../output/print.ts';
import { example } from '../example.ts';

interface Options {
  readonly stateDir?: string;
}

export function createDownCommand(context: CliContext): Command {
  return new Command('down')
    .description('stop the server of this machine and what it left running; what it keeps stays')
    .option('--state-dir <dir>', 'folder of the server (default: ~/.headrace)')
    .addHelpText('after', example('down', 'down --state-dir ./state'))
    .action(async (options: Options) => {
      const stateDir = path.resolve(context.folder, options.stateDir ?? context.settings.stateDir);
      const running = await countRunning(context, stateDir);
      if (running > 0) {
        const tasks = `${count(running, 'task')} ${running === 1 ? 'is' : 'are'} running here`;
        note(context, `${tasks}: they end with it; the next \`headrace up\` retries what may be retried`);
      }
      const stopped = await stopServer(context, stateDir);
      const parts = [
        stopped.server ? 'the server' : '',
        stopped.hosts === 0 ? '' : count(stopped.hosts, 'host'),
        stopped.postgres ? 'its PostgreSQL' : '',
      ].filter((part) => part !== '');
      print(context, parts.length === 0 ? `nothing runs on ${stateDir}` : `stopped ${parts.join(', ')}`);
    });
}
