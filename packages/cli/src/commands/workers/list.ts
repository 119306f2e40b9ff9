/** `headrace workers list` */
import type { ServerStatus } from '@headrace/api';
import { Command } from 'commander';
import type { CliContext } from '../../cli-context.ts';
import { addConnectionOptions, type ConnectionOptions, connect } from '../../connection.ts';
import { formatDuration } from '../../output/format-time.ts';
import { addOutputOption, type OutputOptions, printTable } from '../../output/print.ts';
import { example } from '../example.ts';

type Options = ConnectionOptions & OutputOptions;

const words = {
  local: 'inside a server',
  live: 'live',
  silent: 'silent',
  signed_off: 'signed off',
} as const;

type Worker = ServerStatus['workers'][number];

export function createWorkersListCommand(context: CliContext): Command {
  const command = new Command('list')
    .description('list the workers of the last day: where they are, whether they are heard of, what they run')
    .addHelpText('after', example('workers list', 'workers list -o json'))
    .action(async (options: Options) => {
      const client = await connect(context, options);
      const { workers } = await client.status({});
      printTable(context, options, { workers }, () => ({
        columns: ['worker', 'state', 'last heard', 'lease', 'machine', 'running', 'slots', 'labels'],
        rows: workers.map((worker) => [
          worker.worker_id,
          worker.state === undefined ? '-' : words[worker.state],
          formatHeard(worker),
          formatLease(worker),
          worker.hostname ?? '-',
          String(worker.running),
          String(worker.slots),
          Object.entries(worker.labels ?? {})
            .map(([name, value]) => `${name}=${value}`)
            .join(','),
        ]),
        empty: 'no workers: `headrace worker` adds this machine',
      }));
    });
  return addOutputOption(addConnectionOptions(command));
}

/** Older servers do not tell. */
export function formatHeard({ heard_ms_ago: heardMsAgo }: Worker): string {
  return heardMsAgo === undefined ? '-' : `${formatDuration(heardMsAgo)} ago`;
}

function formatLease({ state, lease_left_ms: leftMs }: Worker): string {
  if (leftMs === undefined || leftMs === null) return '-';
  if (leftMs === 0) return 'ended: its tasks count as lost';
  return state === 'silent' ? `${formatDuration(leftMs)}, then its tasks count as lost` : 'kept';
}
