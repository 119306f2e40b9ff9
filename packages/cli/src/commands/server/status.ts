/** `headrace status` */
import type { ServerStatus } from '@headrace/api';
import { Command } from 'commander';
import type { CliContext } from '../../cli-context.ts';
import { addConnectionOptions, type ConnectionOptions, connect, findConnection } from '../../connection.ts';
import { formatFields, formatTable } from '../../output/format-table.ts';
import { formatDuration } from '../../output/format-time.ts';
import { addOutputOption, type OutputOptions, printDocument } from '../../output/print.ts';
import { example } from '../example.ts';
import { formatHeard } from '../workers/list.ts';

type Options = ConnectionOptions & OutputOptions;

export function createStatusCommand(context: CliContext): Command {
  const command = new Command('status')
    .description('show whether the server is well: workers, hosts, loops, runs')
    .addHelpText('after', example('status', 'status -o json'))
    .action(async (options: Options) => {
      const client = await connect(context, options);
      const { baseUrl } = await findConnection(context, options);
      const status = await client.status({});
      printDocument(context, options, status, () => formatStatus(status, baseUrl, context.clock.nowMs()));
    });
  return addOutputOption(addConnectionOptions(command));
}

function formatStatus(status: ServerStatus, url: string, nowMs: number): string {
  const troubled = status.loops.filter((loop) => loop.last_error !== null);
  const fields = formatFields([
    ['server', url],
    ['version', status.version],
    ['up for', formatDuration(nowMs - status.started_at_ms)],
    ['runs', `${status.runs.running} running, ${status.runs.queued} queued`],
    ...status.workers
      .filter(({ state }) => state !== 'signed_off')
      .map((worker) => {
        const silence = worker.state === 'silent' ? `; silent, last heard of ${formatHeard(worker)}` : '';
        const slots = `${worker.running} of ${worker.slots} slots in use${silence}`;
        return ['worker', `${worker.worker_id}: ${slots}`] as const;
      }),
    ['loops', troubled.length === 0 ? `${status.loops.length}, all well` : `${troubled.length} with errors`],
    ...troubled.map((loop) => [`loop ${loop.name}`, loop.last_error ?? ''] as const),
  ]);
  const hosts = formatTable({
    columns: ['cluster', 'host', 'spark', 'pid', 'message'],
    rows: status.hosts.map((host) => [
      host.cluster_id,
      host.state,
      host.spark_state,
      host.pid === null ? '-' : String(host.pid),
      host.message,
    ]),
    empty: 'no hosts: the first task starts one',
  });
  return `${fields}\n\n${hosts}`;
}
