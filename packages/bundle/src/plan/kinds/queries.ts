import { NewQuery, type QueryDocument } from '@headrace/api';
import type { Document } from '../planned-action.ts';
import { nullIfAbsent } from './is-absent.ts';
import {
  asTyped,
  type KindDefinition,
  NO_RULES,
  omitFields,
  withoutBundleFields,
} from './kind-definition.ts';

/** What the server adds to what people write. */
const SHOWN_ONLY = [
  'id',
  'owner_user_name',
  'last_modifier_user_name',
  'lifecycle_state',
  'create_time',
  'update_time',
];
const PAGES_MAX = 50;

export const queries: KindDefinition = {
  kind: 'queries',
  noun: 'query',
  loss: null,
  rules: {
    ...NO_RULES,
    listKeys: { parameters: 'name' },
    sets: ['tags'],
    defaults: { query_text: '', description: '', display_name: 'New query' },
  },
  recreateOn: ['parent_path'],
  toDocument: ({ settings }) => {
    const document = asTyped(NewQuery, withoutBundleFields(settings));
    const { parent_path: parent } = document;
    return typeof parent === 'string' ? { ...document, parent_path: toRemoteFolder(parent) } : document;
  },
  nameOf: (document) => document.display_name,
  read: async (id, client) => {
    const query = await nullIfAbsent(client.queriesGet({ id }));
    return query === null || query.lifecycle_state === 'TRASHED' ? null : toSettings(query);
  },
  // The server puts a query that names no folder into its owner's.
  toComparable: (remote, { document }) =>
    document.parent_path === undefined ? omitFields(remote, ['parent_path']) : remote,
  create: async (document, client) => (await client.queriesCreate({ query: document })).id,
  update: async ({ id, document, fields }, client) => {
    // A list or a mapping is replaced whole.
    const mask = [...fields].filter((field) => field !== 'parent_path');
    const query = Object.fromEntries(Object.entries(document).filter(([field]) => mask.includes(field)));
    await client.queriesUpdate({ id, query, update_mask: mask.join(',') });
    return id;
  },
  delete: async (id, client) => {
    await nullIfAbsent(client.queriesDelete({ id }));
  },
  find: async (document, client) => {
    const found: string[] = [];
    let pageToken = '';
    for (let page = 0; page < PAGES_MAX; page += 1) {
      const list = await client.queriesList({ page_size: 100, page_token: pageToken });
      for (const query of list.results)
        if (query.display_name === document.display_name) found.push(query.id);
      pageToken = list.next_page_token ?? '';
      if (pageToken === '') break;
    }
    return found;
  },
};

function toSettings(query: QueryDocument): Document {
  return omitFields(query, SHOWN_ONLY);
}

/** As the server writes folders. */
export function toRemoteFolder(folder: string): string {
  const trimmed = folder.replace(/\/+$/, '');
  return trimmed.startsWith('/Workspace/') || !trimmed.startsWith('/') ? trimmed : `/Workspace${trimmed}`;
}
