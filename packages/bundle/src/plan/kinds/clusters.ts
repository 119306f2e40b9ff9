import { setTimeout } from 'node:timers/promises';
import { ApiError, routes } from '@headrace/api';
import { isFields } from '../document-path.ts';
import { nullIfAbsent } from './is-absent.ts';
import {
  asTyped,
  type KindClient,
  type KindDefinition,
  NO_RULES,
  omitFields,
  withoutBundleFields,
} from './kind-definition.ts';

/** A server keeps a cluster that nobody says it about for so long. */
const AUTOTERMINATION_MINUTES_DEFAULT = 120;
/** Said with a request, not kept with the cluster. */
const ASKED_ONLY = ['apply_policy_default_values', 'cluster_id', 'clone_from'];
const PAGES_MAX = 50;
/** A driver has 30 s to end. */
const STOP_MS_MAX = 90_000;
const STOP_POLL_MS = 200;

export const clusters: KindDefinition = {
  kind: 'clusters',
  noun: 'cluster',
  loss: null,
  rules: {
    ...NO_RULES,
    defaults: { autotermination_minutes: AUTOTERMINATION_MINUTES_DEFAULT },
    userMaps: ['spark_conf', 'spark_env_vars', 'custom_tags'],
  },
  recreateOn: [],
  toDocument: ({ settings }) => asTyped(routes.clustersCreate.request, withoutBundleFields(settings)),
  nameOf: (document) => document.cluster_name,
  read: async (id, client) => {
    const cluster = await nullIfAbsent(client.clustersGet({ cluster_id: id }));
    return cluster?.spec ?? null;
  },
  toComparable: (remote, { document, sent }) => {
    // A policy fills in what nobody asked for.
    const governed = document.policy_id === undefined ? remote : keepNamed(remote, [document, sent]);
    return { ...governed, ...Object.fromEntries(Object.entries(document).filter(isAsked)) };
  },
  create: async (document, client) =>
    (await client.clustersCreate(document as Parameters<typeof client.clustersCreate>[0])).cluster_id,
  update: async ({ id, document }, client) => {
    const edited = { ...omitFields(document, ASKED_ONLY), cluster_id: id } as Edit;
    try {
      await client.clustersEdit(edited);
    } catch (error) {
      if (!(error instanceof ApiError) || error.code !== 'INVALID_STATE') throw error;
      await editStopped(edited, client);
    }
    return id;
  },
  delete: async (id, client) => {
    await nullIfAbsent(client.clustersPermanentDelete({ cluster_id: id }));
  },
  find: async (document, client) => {
    const found: string[] = [];
    let pageToken = '';
    for (let page = 0; page < PAGES_MAX; page += 1) {
      const list = await client.clustersList({
        page_size: 100,
        page_token: pageToken,
        'filter_by.cluster_sources': ['API'],
      });
      for (const cluster of list.clusters)
        if (cluster.cluster_name === document.cluster_name) found.push(cluster.cluster_id);
      pageToken = list.next_page_token ?? '';
      if (pageToken === '') break;
    }
    return found;
  },
};

type Edit = Parameters<KindClient['clustersEdit']>[0];

/** One that is just starting cannot be edited, and may stay so for long where no worker is free: it starts anew. */
async function editStopped(edited: Edit, client: KindClient): Promise<void> {
  const { cluster_id } = edited;
  await client.clustersDelete({ cluster_id });
  const deadlineMs = Date.now() + STOP_MS_MAX;
  while ((await client.clustersGet({ cluster_id })).state !== 'TERMINATED' && Date.now() < deadlineMs)
    await setTimeout(STOP_POLL_MS);
  await client.clustersEdit(edited);
  await client.clustersStart({ cluster_id });
}

function isAsked([field]: [string, unknown]): boolean {
  return ASKED_ONLY.includes(field);
}

/** Of nested mappings, too, only what one of the others has. */
function keepNamed(
  value: Readonly<Record<string, unknown>>,
  named: readonly unknown[],
): Record<string, unknown> {
  const known = named.filter(isFields);
  return Object.fromEntries(
    Object.entries(value).flatMap(([field, inner]): [string, unknown][] => {
      if (!known.some((document) => document[field] !== undefined)) return [];
      const kept = isFields(inner)
        ? keepNamed(
            inner,
            known.map((document) => document[field]),
          )
        : inner;
      return [[field, kept]];
    }),
  );
}
