/** `headrace clusters get` */
import type { ClusterDocument } from '@headrace/api';
import { Command } from 'commander';
import type { CliContext } from '../../cli-context.ts';
import { addConnectionOptions, type ConnectionOptions, connect } from '../../connection.ts';
import { formatFields } from '../../output/format-table.ts';
import { formatInstant } from '../../output/format-time.ts';
import { addOutputOption, type OutputOptions, printDocument } from '../../output/print.ts';
import { example } from '../example.ts';
import { findClusterId } from './find-cluster.ts';

type Options = ConnectionOptions & OutputOptions;

export function createClustersGetCommand(context: CliContext): Command {
  const command = new Command('get')
    .description('show one cluster')
    .argument('<cluster>', 'id or exact name')
    .addHelpText('after', example('clusters get etl', 'clusters get 1121-180000-abcd1234 -o json'))
    .action(async (text: string, options: Options) => {
      const client = await connect(context, options);
      const cluster = await client.clustersGet({ cluster_id: await findClusterId(client, text) });
      printDocument(context, options, cluster, () => formatCluster(cluster));
    });
  return addOutputOption(addConnectionOptions(command));
}

function formatCluster(cluster: ClusterDocument): string {
  const { termination_reason: reason, autotermination_minutes: minutes } = cluster;
  const reasons = [reason?.code, ...Object.values(reason?.parameters ?? {})];
  return formatFields([
    ['cluster', cluster.cluster_id],
    ['name', cluster.cluster_name],
    ['state', cluster.state],
    ['reason', reasons.filter((text) => text).join(': ') || '-'],
    ['message', cluster.state_message?.replaceAll('\n', '; ') || '-'],
    ['owner', cluster.creator_user_name ?? '-'],
    ['version', cluster.spark_version ?? '-'],
    ['node type', cluster.node_type_id ?? '-'],
    ['workers', String(cluster.num_workers ?? 0)],
    ['idle end', minutes ? `after ${minutes} min` : 'never'],
    ['started', formatInstant(cluster.start_time)],
  ]);
}
