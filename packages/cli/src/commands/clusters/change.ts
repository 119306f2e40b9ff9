/** `headrace clusters edit`, `start`, `restart`, `delete`, `permanent-delete`, `pin`, `unpin` and `resize` */
import type { Client } from '@headrace/api';
import { Command, InvalidArgumentError } from 'commander';
import type { CliContext } from '../../cli-context.ts';
import { CommandError, exitCodes } from '../../command-error.ts';
import { addConnectionOptions, type ConnectionOptions, connect } from '../../connection.ts';
import { print } from '../../output/print.ts';
import { example } from '../example.ts';
import { addDocumentOptions, type DocumentOptions, readDocument } from '../json-document.ts';
import {
  type ApproveOptions,
  addApproveOptions,
  approveInterruption,
  describeInterrupted,
} from './approve-interruption.ts';
import { findClusterId, waitForCluster } from './find-cluster.ts';

interface Waiting extends ConnectionOptions, ApproveOptions {
  readonly wait: boolean;
}

type Interruption = Parameters<typeof describeInterrupted>[0];

interface Change {
  readonly name: string;
  readonly description: string;
  /** What is said when it is done, before the id. */
  readonly done: string;
  readonly ask: (client: Client, request: { cluster_id: string }) => Promise<Interruption>;
  /** The tasks that run on the cluster end with its hosts. */
  readonly endsTasks?: true;
  readonly until?: 'RUNNING' | 'TERMINATED';
}

const changes: readonly Change[] = [
  {
    ...{ name: 'start', description: 'start a terminated cluster and wait until it runs' },
    ...{ done: 'runs', ask: (client, request) => client.clustersStart(request), until: 'RUNNING' },
  },
  {
    ...{ name: 'restart', description: 'restart a cluster; the tasks on it end', endsTasks: true },
    ...{ done: 'runs', ask: (client, request) => client.clustersRestart(request), until: 'RUNNING' },
  },
  {
    ...{ name: 'delete', description: 'terminate a cluster; it stays and can be started again' },
    endsTasks: true,
    ...{
      done: 'is terminated',
      ask: (client, request) => client.clustersDelete(request),
      until: 'TERMINATED',
    },
  },
  {
    ...{ name: 'pin', description: 'keep a cluster, however long it is terminated' },
    ...{ done: 'is pinned', ask: (client, request) => client.clustersPin(request) },
  },
  {
    ...{ name: 'unpin', description: 'let a cluster go when it has been terminated for 30 days' },
    ...{ done: 'is no longer pinned', ask: (client, request) => client.clustersUnpin(request) },
  },
];

export function createClusterChangeCommands(context: CliContext): Command[] {
  return [
    ...changes.map((change) => createChangeCommand(context, change)),
    createEditCommand(context),
    createUpdateCommand(context),
    createChangeOwnerCommand(context),
    createResizeCommand(context),
    createPermanentDeleteCommand(context),
  ];
}

function createChangeCommand(context: CliContext, change: Change): Command {
  const { name, description, done, ask, until, endsTasks = false } = change;
  const command = new Command(name).description(description).argument('<cluster>', 'id or exact name');
  if (until) command.option('--no-wait', 'return at once');
  if (endsTasks) addApproveOptions(command);
  command
    .addHelpText('after', example(`clusters ${name} etl`))
    .action(async (text: string, options: Waiting) => {
      const client = await connect(context, options);
      const cluster_id = await findClusterId(client, text);
      if (endsTasks) await approveInterruption(context, client, { clusterId: cluster_id, ...options });
      const interrupted = describeInterrupted(await ask(client, { cluster_id }));
      if (until && options.wait) await waitForCluster(client, cluster_id, until);
      const outcome = until && !options.wait ? 'is asked to' : done;
      print(context, `cluster ${cluster_id} ${outcome}${interrupted}`);
    });
  return addConnectionOptions(command);
}

function createEditCommand(context: CliContext): Command {
  const command = addDocumentOptions(
    new Command('edit'),
    'what the cluster is from now on, as the clusters API takes it',
  )
    .description('replace what a cluster is; one that runs is restarted')
    .argument('<cluster>', 'id or exact name')
    .option('--no-wait', 'return at once')
    .addHelpText('after', example('clusters edit etl --json-file etl-cluster.json'))
    .action(async (text: string, options: Waiting & DocumentOptions) => {
      const document = await readDocument(context, options);
      const client = await connect(context, options);
      const cluster_id = await findClusterId(client, text);
      // The server says what is wrong with it.
      const request = { ...document, cluster_id } as Parameters<typeof client.clustersEdit>[0];
      await approveInterruption(context, client, { clusterId: cluster_id, ...options });
      const interrupted = describeInterrupted(await client.clustersEdit(request));
      await awaitRestart(client, cluster_id, options);
      print(context, `cluster ${cluster_id} is edited${interrupted}`);
    });
  return addConnectionOptions(addApproveOptions(command));
}

/** One that ran is restarted with what has changed. */
async function awaitRestart(client: Client, cluster_id: string, { wait }: Waiting): Promise<void> {
  const { state } = await client.clustersGet({ cluster_id });
  if (wait && state !== 'TERMINATED') await waitForCluster(client, cluster_id, 'RUNNING');
}

function createUpdateCommand(context: CliContext): Command {
  const command = addDocumentOptions(
    new Command('update'),
    'the fields that change, as the clusters API takes them',
  )
    .description('change the named fields of a cluster; one that runs is restarted')
    .argument('<cluster>', 'id or exact name')
    .option('--mask <names>', 'fields, with commas between; one that the document lacks is taken out')
    .option('--no-wait', 'return at once')
    .addHelpText('after', example('clusters update etl --json \'{"autotermination_minutes": 30}\''))
    .action(async (text: string, options: Waiting & DocumentOptions & { readonly mask?: string }) => {
      const document = await readDocument(context, options);
      const update_mask = options.mask ?? Object.keys(document).join(',');
      if (update_mask.trim() === '') {
        const cure = 'name a field in the document, or in --mask one that is taken out';
        throw new CommandError('there is nothing to change', { exitCode: exitCodes.usage, cure });
      }
      const client = await connect(context, options);
      const cluster_id = await findClusterId(client, text);
      // The server says what is wrong with it.
      const request = { cluster_id, update_mask, cluster: document } as Parameters<
        typeof client.clustersUpdate
      >[0];
      await approveInterruption(context, client, { clusterId: cluster_id, ...options });
      const interrupted = describeInterrupted(await client.clustersUpdate(request));
      await awaitRestart(client, cluster_id, options);
      print(context, `cluster ${cluster_id} is updated${interrupted}`);
    });
  return addConnectionOptions(addApproveOptions(command));
}

function createChangeOwnerCommand(context: CliContext): Command {
  const command = new Command('change-owner')
    .description('give a terminated cluster to another user; only administrators may')
    .argument('<cluster>', 'id or exact name')
    .argument('<user>', 'user name of the new owner')
    .addHelpText('after', example('clusters change-owner etl ada@example.org'))
    .action(async (text: string, owner_username: string, options: ConnectionOptions) => {
      const client = await connect(context, options);
      const cluster_id = await findClusterId(client, text);
      await client.clustersChangeOwner({ cluster_id, owner_username });
      print(context, `cluster ${cluster_id} belongs to ${owner_username}`);
    });
  return addConnectionOptions(command);
}

interface ResizeOptions extends Waiting {
  readonly workers?: number;
  readonly minWorkers?: number;
  readonly maxWorkers?: number;
}

function createResizeCommand(context: CliContext): Command {
  const command = new Command('resize')
    .description('change the number of workers of a cluster that runs')
    .argument('<cluster>', 'id or exact name')
    .option('--workers <n>', 'this many', parseWorkers)
    .option('--min-workers <n>', 'at least as many', parseWorkers)
    .option('--max-workers <n>', 'at most as many', parseWorkers)
    .option('--no-wait', 'return at once')
    .addHelpText(
      'after',
      example('clusters resize etl --workers 4', 'clusters resize etl --min-workers 1 --max-workers 8'),
    )
    .action(async (text: string, options: ResizeOptions) => {
      const { workers, minWorkers = 0, maxWorkers } = options;
      if ((workers === undefined) === (maxWorkers === undefined)) {
        const cure = 'give --workers, or --max-workers with or without --min-workers';
        throw new CommandError('which size?', { exitCode: exitCodes.usage, cure });
      }
      const client = await connect(context, options);
      const cluster_id = await findClusterId(client, text);
      await client.clustersResize({
        cluster_id,
        ...(workers === undefined
          ? { autoscale: { min_workers: minWorkers, max_workers: maxWorkers } }
          : { num_workers: workers }),
      });
      if (options.wait) await waitForCluster(client, cluster_id, 'RUNNING');
      print(context, `cluster ${cluster_id} is resized`);
    });
  return addConnectionOptions(command);
}

function parseWorkers(text: string): number {
  const count = Number(text);
  if (!/^\d{1,6}$/.test(text)) throw new InvalidArgumentError('expected a number from 0.');
  return count;
}

function createPermanentDeleteCommand(context: CliContext): Command {
  const command = new Command('permanent-delete')
    .description('terminate a cluster and delete it for good')
    .argument('<cluster>', 'id or exact name')
    .addHelpText('after', example('clusters permanent-delete etl'))
    .action(async (text: string, options: ConnectionOptions & ApproveOptions) => {
      const client = await connect(context, options);
      const cluster_id = await findClusterId(client, text);
      const warning = `Cluster ${cluster_id} will be deleted for good.`;
      await approveInterruption(context, client, { clusterId: cluster_id, warning, ...options });
      const interrupted = describeInterrupted(await client.clustersPermanentDelete({ cluster_id }));
      print(context, `cluster ${cluster_id} is deleted${interrupted}`);
    });
  return addConnectionOptions(addApproveOptions(command));
}
