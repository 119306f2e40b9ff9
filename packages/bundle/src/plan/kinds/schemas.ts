import { routes } from '@headrace/api';
import { changedRecord, foldNames } from './catalogs.ts';
import { nullIfAbsent } from './is-absent.ts';
import { asTyped, type KindDefinition, NO_RULES, pickFields } from './kind-definition.ts';

const FIELDS = ['name', 'catalog_name', 'comment', 'properties', 'storage_root'];

export const schemas: KindDefinition = {
  kind: 'schemas',
  noun: 'schema',
  loss: 'all its tables and volumes',
  rules: { ...NO_RULES, defaults: { comment: '' }, userMaps: ['properties'] },
  recreateOn: ['catalog_name', 'storage_root'],
  toDocument: ({ settings }) =>
    foldNames(asTyped(routes.schemasCreate.request, pickFields(settings, FIELDS)), ['name', 'catalog_name']),
  nameOf: ({ catalog_name: catalog, name }) => `${catalog}.${name}`,
  read: async (id, client) => {
    const schema = await nullIfAbsent(client.schemasGet({ full_name: id }));
    return schema === null ? null : pickFields(schema, FIELDS);
  },
  create: async (document, client) =>
    (await client.schemasCreate(document as Parameters<typeof client.schemasCreate>[0])).full_name,
  update: async ({ id, document, fields }, client) => {
    const changed = changedRecord(document, fields, ['properties']);
    return (await client.schemasUpdate({ full_name: id, ...changed })).full_name;
  },
  delete: async (id, client) => {
    await nullIfAbsent(client.schemasDelete({ full_name: id, force: true }));
  },
  find: async ({ catalog_name: catalog, name }, client) => {
    const found = await nullIfAbsent(client.schemasGet({ full_name: `${catalog}.${name}` }));
    return found === null ? [] : [found.full_name];
  },
};
