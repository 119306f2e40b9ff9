/** `headrace workers list` */
import { Command } from 'commander';
import type { CliContext } from '../../cli-context.ts';
import { addConnectionOptions, type ConnectionOptions, connect } from '../../connection.ts';
import { addOutputOption, type OutputOptions, printTable } from '../../output/print.ts';
import { example } from '../example.ts';

type Options = ConnectionOptions & OutputOptions;

const words = {
  local: 'inside a server',
  live: 'live',
  silent: 'not heard of',
  signed_off: 'signed off',
} as const;

export function createWorkersListCommand(context: CliContext): Command {
  const command = new Command('list')
    .description('list the workers of the last day: where they are, whether they are heard of, what they run')
    .addHelpText('after', example('workers list', 'workers list -o json'))
    .action(async (options: Options) => {
      const client = await connect(context, options);
      const { workers } = await client.status({});
      printTable(context, options, { workers }, () => ({
        columns: ['worker', 'state', 'machine', 'running', 'slots', 'labels'],
        rows: workers.map(({ worker_id, state, hostname, running, slots, labels = {} }) => [
          worker_id,
          state === undefined ? '-' : words[state],
          hostname ?? '-',
          String(running),
          String(slots),
          Object.entries(labels)
            .map(([name, value]) => `${name}=${value}`)
            .join(','),
        ]),
        empty: 'no workers: `headrace worker` adds this machine',
      }));
    });
  return addOutputOption(addConnectionOptions(command));
}
