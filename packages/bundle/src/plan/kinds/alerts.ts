// Alerts with a query and a schedule of their own; those on a saved query are no resource of bundles.

import { TextAlertFields } from '@headrace/api';
import { isFields } from '../document-path.ts';
import { nullIfAbsent } from './is-absent.ts';
import {
  asTyped,
  type KindDefinition,
  NO_RULES,
  omitFields,
  withoutBundleFields,
} from './kind-definition.ts';
import { toRemoteFolder } from './queries.ts';

/** What the server adds to what people write. */
const SHOWN_ONLY = [
  'id',
  'owner_user_name',
  'run_as_user_name',
  'effective_run_as',
  'lifecycle_state',
  'create_time',
  'update_time',
];
const PAGES_MAX = 50;

export const alerts: KindDefinition = {
  kind: 'alerts',
  noun: 'alert',
  loss: null,
  rules: {
    ...NO_RULES,
    listKeys: { parameters: 'name' },
    defaults: { pause_status: 'UNPAUSED', custom_summary: '', custom_description: '' },
  },
  recreateOn: ['parent_path'],
  toDocument: ({ settings }) => {
    const document = asTyped(TextAlertFields, withoutBundleFields(settings));
    const { parent_path: parent } = document;
    return typeof parent === 'string' ? { ...document, parent_path: toRemoteFolder(parent) } : document;
  },
  nameOf: (document) => document.display_name,
  read: async (id, client) => {
    const alert = await nullIfAbsent(client.textAlertsGet({ id }));
    if (alert === null || alert.lifecycle_state === 'DELETED') return null;
    const evaluation = omitFields(alert.evaluation, ['state', 'last_evaluated_at']);
    return { ...omitFields(alert, SHOWN_ONLY), evaluation };
  },
  // The server puts an alert that names no folder into its owner's.
  toComparable: (remote, { document }) =>
    document.parent_path === undefined ? omitFields(remote, ['parent_path']) : remote,
  create: async (document, client) => (await client.textAlertsCreate(document)).id,
  update: async ({ id, document, fields }, client) => {
    // A list or a mapping is replaced whole.
    const mask = [...fields].filter((field) => field !== 'parent_path');
    const changed = Object.fromEntries(Object.entries(document).filter(([field]) => mask.includes(field)));
    await client.textAlertsUpdate({ ...changed, id, update_mask: mask.join(',') });
    return id;
  },
  delete: async (id, client) => {
    await nullIfAbsent(client.textAlertsTrash({ id }));
  },
  find: async (document, client) => {
    const found: string[] = [];
    let pageToken = '';
    for (let page = 0; page < PAGES_MAX; page += 1) {
      const list = await client.textAlertsList({ page_size: 100, page_token: pageToken });
      for (const alert of list.alerts ?? [])
        if (isFields(alert) && alert.display_name === document.display_name) found.push(String(alert.id));
      pageToken = list.next_page_token ?? '';
      if (pageToken === '') break;
    }
    return found;
  },
};
