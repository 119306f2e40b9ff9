import { routes } from '@headrace/api';
import type { Document } from '../planned-action.ts';
import { nullIfAbsent } from './is-absent.ts';
import { asTyped, type KindDefinition, NO_RULES, pickFields } from './kind-definition.ts';

const FIELDS = ['name', 'comment', 'properties', 'options', 'storage_root'];
const MAPS = ['properties', 'options'];

export const catalogs: KindDefinition = {
  kind: 'catalogs',
  noun: 'catalog',
  loss: 'all its schemas, tables and volumes',
  rules: { ...NO_RULES, defaults: { comment: '' }, userMaps: MAPS },
  recreateOn: ['storage_root'],
  toDocument: ({ settings }) =>
    foldNames(asTyped(routes.catalogsCreate.request, pickFields(settings, FIELDS)), ['name']),
  nameOf: (document) => document.name,
  read: async (id, client) => {
    const catalog = await nullIfAbsent(client.catalogsGet({ name: id }));
    return catalog === null ? null : pickFields(catalog, FIELDS);
  },
  create: async (document, client) =>
    (await client.catalogsCreate(document as Parameters<typeof client.catalogsCreate>[0])).name,
  update: async ({ id, document, fields }, client) => {
    const changed = changedRecord(document, fields, MAPS);
    return (await client.catalogsUpdate({ name: id, ...changed })).name;
  },
  delete: async (id, client) => {
    await nullIfAbsent(client.catalogsDelete({ name: id, force: true }));
  },
  find: async (document, client) => {
    const found = await nullIfAbsent(client.catalogsGet({ name: String(document.name) }));
    return found === null ? [] : [found.name];
  },
};

/** Case does not count in names of the catalog, and the server keeps them in lower case. */
export function foldNames(document: Document, fields: readonly string[]): Document {
  const folded = fields.flatMap((field): [string, unknown][] => {
    const name = document[field];
    return typeof name === 'string' ? [[field, name.includes('${') ? name : name.toLowerCase()]] : [];
  });
  return { ...document, ...Object.fromEntries(folded) };
}

/** A PATCH of the fields that change; what the document no longer has is emptied. */
export function changedRecord(
  document: Document,
  fields: ReadonlySet<string>,
  maps: readonly string[],
): Record<string, never> {
  const change: Record<string, unknown> = {};
  if (fields.has('name')) change.new_name = document.name;
  if (fields.has('comment')) change.comment = document.comment ?? '';
  for (const map of maps) if (fields.has(map)) change[map] = document[map] ?? {};
  return change as Record<string, never>; // of the contract's own fields
}
