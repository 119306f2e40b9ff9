/** `headrace clusters list` */
import { clusterStates, clustersListLimitMax } from '@headrace/api';
import { Command, Option } from 'commander';
import type { CliContext } from '../../cli-context.ts';
import { addConnectionOptions, type ConnectionOptions, connect } from '../../connection.ts';
import { formatInstant } from '../../output/format-time.ts';
import { addOutputOption, note, type OutputOptions, printTable } from '../../output/print.ts';
import { example } from '../example.ts';
import { parseLimit } from '../parse-options.ts';

interface Options extends ConnectionOptions, OutputOptions {
  readonly state?: (typeof clusterStates)[number];
  readonly pinned?: boolean;
  readonly jobs?: boolean;
  readonly limit: number;
  readonly pageToken?: string;
}

const limitDefault = 20;

export function createClustersListCommand(context: CliContext): Command {
  const command = new Command('list')
    .description('list clusters, newest first: the shared one and those that people made')
    .addOption(new Option('--state <state>', 'only those in this state').choices(clusterStates))
    .option('--pinned', 'only pinned ones')
    .option('--jobs', 'those that jobs made, instead')
    .option('--limit <count>', 'rows to show', parseLimit(clustersListLimitMax), limitDefault)
    .option('--page-token <token>', 'go on where an earlier page ended')
    .addHelpText('after', example('clusters list --state RUNNING', 'clusters list --jobs'))
    .action(async (options: Options) => {
      const client = await connect(context, options);
      const { state, pinned, jobs, limit, pageToken } = options;
      const page = await client.clustersList({
        'filter_by.cluster_sources': [jobs ? 'JOB' : 'API'],
        ...(state && { 'filter_by.cluster_states': [state] }),
        ...(pinned && { 'filter_by.is_pinned': true }),
        page_size: limit,
        ...(pageToken && { page_token: pageToken }),
      });
      printTable(context, options, page, () => ({
        columns: ['id', 'name', 'state', 'owner', 'started'],
        rows: page.clusters.map((cluster) => [
          cluster.cluster_id,
          cluster.cluster_name,
          cluster.state,
          cluster.creator_user_name ?? '-',
          formatInstant(cluster.start_time),
        ]),
        empty: 'no clusters',
      }));
      if (options.output === 'table' && page.next_page_token)
        note(context, `more: headrace clusters list --page-token ${page.next_page_token}`);
    });
  return addOutputOption(addConnectionOptions(command));
}
