import { routes } from '@headrace/api';
import { changedRecord, foldNames } from './catalogs.ts';
import { nullIfAbsent } from './is-absent.ts';
import { asTyped, type KindDefinition, NO_RULES, omitFields, pickFields } from './kind-definition.ts';

const FIELDS = ['name', 'catalog_name', 'schema_name', 'volume_type', 'storage_location', 'comment'];
const NAMES = ['name', 'catalog_name', 'schema_name'];

export const volumes: KindDefinition = {
  kind: 'volumes',
  noun: 'volume',
  loss: 'all its files, unless it is external',
  rules: { ...NO_RULES, defaults: { comment: '' } },
  recreateOn: ['catalog_name', 'schema_name', 'volume_type', 'storage_location'],
  toDocument: ({ settings }) => {
    const document = { volume_type: 'MANAGED', ...pickFields(settings, FIELDS) };
    return foldNames(asTyped(routes.volumesCreate.request, document), NAMES);
  },
  nameOf: ({ catalog_name: catalog, schema_name: schema, name }) => `${catalog}.${schema}.${name}`,
  read: async (id, client) => {
    const volume = await nullIfAbsent(client.volumesGet({ name: id }));
    return volume === null ? null : pickFields(volume, FIELDS);
  },
  toComparable: (remote, { document }) => {
    // The server chooses the folder of a managed volume, and writes that of another in its own way.
    const wanted = document.storage_location;
    if (wanted === undefined) return omitFields(remote, ['storage_location']);
    return isSameFolder(remote.storage_location, wanted) ? { ...remote, storage_location: wanted } : remote;
  },
  create: async (document, client) =>
    (await client.volumesCreate(document as Parameters<typeof client.volumesCreate>[0])).full_name,
  update: async ({ id, document, fields }, client) =>
    (await client.volumesUpdate({ ...changedRecord(document, fields, []), name: id })).full_name,
  delete: async (id, client) => {
    await nullIfAbsent(client.volumesDelete({ name: id }));
  },
  find: async ({ catalog_name: catalog, schema_name: schema, name }, client) => {
    const found = await nullIfAbsent(client.volumesGet({ name: `${catalog}.${schema}.${name}` }));
    return found === null ? [] : [found.full_name];
  },
};

function isSameFolder(remote: unknown, wanted: unknown): boolean {
  const toPath = (text: unknown) =>
    String(text)
      .replace(/^file:(\/\/(?=\/))?/i, '')
      .replace(/\/+$/, '');
  return toPath(remote) === toPath(wanted);
}
