/** The cluster that a command is about: by its id, or by a name that only one cluster has. */
import type { Client, ClusterDocument } from '@headrace/api';
import { CommandError, exitCodes } from '../../command-error.ts';

/** More clusters than a person names by hand. */
const pagesMax = 50;

export async function findClusterId(client: Client, text: string): Promise<string> {
  const named: string[] = [];
  for (let page_token = '', pages = 0; pages < pagesMax; pages += 1) {
    const page = await client.clustersList({ page_size: 100, page_token });
    for (const { cluster_id, cluster_name } of page.clusters) {
      if (cluster_id === text) return cluster_id;
      if (cluster_name === text) named.push(cluster_id);
    }
    if (!page.next_page_token) break;
    page_token = page.next_page_token;
  }
  const [only] = named;
  if (named.length > 1) {
    throw new CommandError(`${named.length} clusters are called ${text}`, {
      exitCode: exitCodes.usage,
      cure: `give one of the ids: ${named.join(', ')}`,
    });
  }
  // The server has the words for an unknown one.
  return only ?? text;
}

const waitPollMs = 500;

/** Until it is in this state, or has ended otherwise. */
export async function waitForCluster(
  client: Client,
  cluster_id: string,
  wanted: ClusterDocument['state'],
): Promise<ClusterDocument> {
  for (;;) {
    const cluster = await client.clustersGet({ cluster_id });
    if (cluster.state === wanted) return cluster;
    if (cluster.state === 'TERMINATED' || cluster.state === 'ERROR') {
      const { code = cluster.state, parameters = {} } = cluster.termination_reason ?? {};
      const reason = [code, ...Object.values(parameters)].join(': ');
      throw new CommandError(`cluster ${cluster_id} did not start: ${reason}`, {
        exitCode: exitCodes.failed,
        cure: `headrace clusters events ${cluster_id} tells more`,
      });
    }
    await new Promise((resolve) => setTimeout(resolve, waitPollMs));
  }
}
