// Asks the server for the ids that a bundle's lookups name. Resolving stays pure: what is found here is an input of it.

import type { Client } from '@headrace/api';
import type { Lookup, LookupAnswer, LookupAnswers, LookupKind } from '../resolve/lookups.ts';

export type LookupClient = Pick<
  Client,
  | 'alertsList'
  | 'clusterPoliciesList'
  | 'clustersList'
  | 'instancePoolsList'
  | 'jobsList'
  | 'queriesList'
  | 'warehousesList'
>;

/** A server with more of one kind is not searched to its end: the id can be given instead. */
const PAGES_MAX = 100;

interface Named {
  readonly id: string;
  readonly name: string | undefined;
}

export async function answerLookups(
  lookups: readonly Lookup[],
  client: LookupClient,
): Promise<LookupAnswers> {
  const listings = new Map<string, Promise<readonly Named[] | null>>();
  const answers = await Promise.all(
    lookups.map(async ({ variable, kind, name }): Promise<[string, LookupAnswer]> => {
      // Jobs are searched by name; of all others one list answers every lookup.
      const key = kind === 'job' ? `${kind} ${name}` : kind;
      const listing = listings.get(key) ?? list(kind, name, client);
      listings.set(key, listing);
      return [variable, toAnswer(await listing, name)];
    }),
  );
  return new Map(answers);
}

function toAnswer(found: readonly Named[] | null, name: string): LookupAnswer {
  if (found === null) return { kind: 'unsupported' };
  const ids = found.filter((named) => named.name === name).map(({ id }) => id);
  const [id] = ids;
  if (id === undefined) return { kind: 'missing' };
  return ids.length === 1 ? { kind: 'found', id } : { kind: 'ambiguous', ids };
}

/** null: this server has none of the kind. */
async function list(kind: LookupKind, name: string, client: LookupClient): Promise<readonly Named[] | null> {
  switch (kind) {
    case 'job':
      return paged(async (page_token) => {
        const { jobs = [], next_page_token } = await client.jobsList({ name, page_token });
        const found = jobs.map((job) => ({ id: String(job.job_id), name: job.settings?.name }));
        return { found, next: next_page_token };
      });
    case 'cluster':
      return paged(async (page_token) => {
        // Those that jobs made for one run are named after it, and are gone with it.
        const { clusters, next_page_token } = await client.clustersList({
          page_token,
          'filter_by.cluster_sources': ['UI', 'API'],
        });
        return {
          found: clusters.map((cluster) => ({ id: cluster.cluster_id, name: cluster.cluster_name })),
          next: next_page_token,
        };
      });
    case 'warehouse':
      return paged(async (page_token) => {
        const { warehouses, next_page_token } = await client.warehousesList({ page_token });
        return { found: warehouses.map(({ id, name: own }) => ({ id, name: own })), next: next_page_token };
      });
    case 'query':
      return paged(async (page_token) => {
        const { results, next_page_token } = await client.queriesList({ page_token });
        return {
          found: results.map((query) => ({ id: query.id, name: query.display_name })),
          next: next_page_token,
        };
      });
    case 'alert':
      return paged(async (page_token) => {
        const { results, next_page_token } = await client.alertsList({ page_token });
        return {
          found: results.map((alert) => ({ id: alert.id, name: alert.display_name })),
          next: next_page_token,
        };
      });
    case 'instance_pool': {
      const { instance_pools } = await client.instancePoolsList({});
      return instance_pools.map((pool) => ({ id: pool.instance_pool_id, name: pool.instance_pool_name }));
    }
    case 'cluster_policy': {
      const { policies = [] } = await client.clusterPoliciesList({});
      return policies.map((policy) => ({ id: policy.policy_id, name: policy.name }));
    }
    case 'dashboard':
    case 'metastore':
    case 'notification_destination':
    case 'pipeline':
    case 'service_principal':
      return null;
  }
}

interface Page {
  readonly found: readonly Named[];
  readonly next: string | undefined;
}

async function paged(read: (pageToken: string) => Promise<Page>): Promise<Named[]> {
  const all: Named[] = [];
  let token = '';
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const { found, next } = await read(token);
    all.push(...found);
    if (next === undefined || next === '') break;
    token = next;
  }
  return all;
}
