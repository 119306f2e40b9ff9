/** `headrace clusters events` */
import { clusterEventsLimitMax } from '@headrace/api';
import { Command } from 'commander';
import type { CliContext } from '../../cli-context.ts';
import { addConnectionOptions, type ConnectionOptions, connect } from '../../connection.ts';
import { formatInstant } from '../../output/format-time.ts';
import { addOutputOption, note, type OutputOptions, printTable } from '../../output/print.ts';
import { example } from '../example.ts';
import { parseLimit } from '../parse-options.ts';
import { findClusterId } from './find-cluster.ts';

interface Options extends ConnectionOptions, OutputOptions {
  readonly type?: readonly string[];
  readonly limit: number;
}

const limitDefault = 50;
const detailCharsMax = 120;

export function createClustersEventsCommand(context: CliContext): Command {
  const command = new Command('events')
    .description('what happened to a cluster, newest first')
    .argument('<cluster>', 'id or exact name')
    .option('--type <types...>', 'only these, such as RUNNING or TERMINATING')
    .option('--limit <count>', 'rows to show', parseLimit(clusterEventsLimitMax), limitDefault)
    .addHelpText('after', example('clusters events etl --type TERMINATING'))
    .action(async (text: string, options: Options) => {
      const client = await connect(context, options);
      const cluster_id = await findClusterId(client, text);
      const { type: event_types = [], limit } = options;
      const page = await client.clustersEvents({ cluster_id, event_types: [...event_types], limit });
      printTable(context, options, page, () => ({
        columns: ['when', 'event', 'details'],
        rows: page.events.map(({ timestamp, type, details }) => [
          formatInstant(timestamp),
          type,
          describe(details),
        ]),
        empty: 'no events',
      }));
      const hidden = page.total_count - page.events.length;
      if (options.output === 'table' && hidden > 0) note(context, `and ${hidden} more: --limit shows them`);
    });
  return addOutputOption(addConnectionOptions(command));
}

/** What a line has room for; `-o json` shows all. */
function describe(details: Readonly<Record<string, unknown>>): string {
  const { attributes: _, previous_attributes: __, ...shown } = details;
  const text = Object.entries(shown)
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(' ')
    .replaceAll('\n', ' ');
  return text.length > detailCharsMax ? `${text.slice(0, detailCharsMax - 1)}…` : text || '-';
}
