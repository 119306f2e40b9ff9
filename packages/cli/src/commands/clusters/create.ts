/** `headrace clusters create` */
import { Command } from 'commander';
import type { CliContext } from '../../cli-context.ts';
import { addConnectionOptions, type ConnectionOptions, connect } from '../../connection.ts';
import { addOutputOption, type OutputOptions, printDocument } from '../../output/print.ts';
import { example } from '../example.ts';
import { addDocumentOptions, type DocumentOptions, readDocument } from '../json-document.ts';
import { waitForCluster } from './find-cluster.ts';

interface Options extends ConnectionOptions, OutputOptions, DocumentOptions {
  readonly wait: boolean;
}

export function createClustersCreateCommand(context: CliContext): Command {
  const command = addDocumentOptions(
    new Command('create'),
    'what the cluster is, as the clusters API takes it',
  )
    .description('make an all-purpose cluster and wait until it runs')
    .option('--no-wait', 'return at once')
    .addHelpText('after', example('clusters create --json-file etl-cluster.json'))
    .action(async (options: Options) => {
      const document = await readDocument(context, options);
      const client = await connect(context, options);
      // The server says what is wrong with it.
      const created = await client.clustersCreate(document as Parameters<typeof client.clustersCreate>[0]);
      if (options.wait) await waitForCluster(client, created.cluster_id, 'RUNNING');
      printDocument(context, options, created, () => `cluster ${created.cluster_id} created`);
    });
  return addOutputOption(addConnectionOptions(command));
}
