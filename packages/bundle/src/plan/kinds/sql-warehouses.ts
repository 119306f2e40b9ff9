import { WarehouseFields } from '@headrace/api';
import { nullIfAbsent } from './is-absent.ts';
import { asTyped, type KindDefinition, NO_RULES, pickFields } from './kind-definition.ts';

/** What a server takes where a warehouse does not say; and what takes a field back that can be left out. */
const DEFAULTS: Readonly<Record<string, unknown>> = {
  cluster_size: '2X-Small',
  auto_stop_mins: 120,
  min_num_clusters: 1,
  max_num_clusters: 1,
  warehouse_type: 'PRO',
  enable_photon: false,
  enable_serverless_compute: false,
  statement_timeout: 0,
  spot_instance_policy: '',
  instance_profile_arn: '',
};
const EMPTY: Readonly<Record<string, unknown>> = { channel: {}, tags: { custom_tags: [] } };
/** Shown by the server: whoever made it. */
const FIELDS = Object.keys(WarehouseFields.shape).filter((field) => field !== 'creator_name');
const PAGES_MAX = 50;

export const sqlWarehouses: KindDefinition = {
  kind: 'sql_warehouses',
  noun: 'SQL warehouse',
  loss: null,
  rules: { ...NO_RULES, listKeys: { custom_tags: 'key' }, defaults: DEFAULTS },
  recreateOn: [],
  toDocument: ({ settings }) => asTyped(WarehouseFields, pickFields(settings, FIELDS)),
  nameOf: (document) => document.name,
  read: async (id, client) => {
    const warehouse = await nullIfAbsent(client.warehousesGet({ id }));
    return warehouse === null || warehouse.state === 'DELETED' ? null : pickFields(warehouse, FIELDS);
  },
  create: async (document, client) =>
    (await client.warehousesCreate(document as Parameters<typeof client.warehousesCreate>[0])).id,
  update: async ({ id, document, fields }, client) => {
    const emptied = [...fields].filter((field) => document[field] === undefined);
    const defaults = emptied.map((field) => [field, DEFAULTS[field] ?? EMPTY[field]]);
    await client.warehousesEdit({ ...document, ...Object.fromEntries(defaults), id });
    return id;
  },
  delete: async (id, client) => {
    await nullIfAbsent(client.warehousesDelete({ id }));
  },
  find: async (document, client) => {
    let pageToken = '';
    for (let page = 0; page < PAGES_MAX; page += 1) {
      const list = await client.warehousesList({ page_size: 100, page_token: pageToken });
      const found = list.warehouses.find(({ name }) => name === document.name);
      if (found !== undefined) return [found.id];
      pageToken = list.next_page_token ?? '';
      if (pageToken === '') break;
    }
    return [];
  },
};
