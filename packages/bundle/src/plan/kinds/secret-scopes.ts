// A scope and who may use it. The secrets in it are never part of a bundle.

import { secretPermissions } from '@headrace/api';
import type { ResolvedPermission } from '../../resolve/resolved-bundle.ts';
import { isFields } from '../document-path.ts';
import type { Document } from '../planned-action.ts';
import { nullIfAbsent } from './is-absent.ts';
import { type KindClient, type KindDefinition, NO_RULES } from './kind-definition.ts';

type Level = (typeof secretPermissions)[number];

interface Permission {
  readonly principal: string;
  readonly permission: Level;
}

export const secretScopes: KindDefinition = {
  kind: 'secret_scopes',
  noun: 'secret scope',
  loss: 'all its secrets',
  rules: { ...NO_RULES, listKeys: { permissions: 'principal' } },
  recreateOn: ['name', 'backend_type'],
  toDocument: ({ settings, key, permissions }) => {
    const wanted = permissions.flatMap(toPermission);
    return {
      name: settings.name ?? key,
      backend_type: settings.backend_type ?? 'DATABRICKS',
      ...(wanted.length === 0 ? {} : { permissions: wanted }),
    };
  },
  nameOf: (document) => document.name,
  read: async (id, client) => {
    const { scopes = [] } = await client.secretScopesList({});
    const scope = scopes.find(({ name }) => name === id);
    if (scope === undefined) return null;
    const list = await nullIfAbsent(client.secretAclsList({ scope: id }));
    return { name: scope.name, backend_type: scope.backend_type, permissions: list?.items ?? [] };
  },
  toComparable: (remote, { document, sent }) => {
    // Whoever made the scope manages it without being named.
    const named = new Set([...permissionsOf(document), ...permissionsOf(sent)].map((each) => each.principal));
    return {
      ...remote,
      permissions: permissionsOf(remote).filter(({ principal }) => named.has(principal)),
    };
  },
  create: async (document, client) => {
    const name = String(document.name);
    await client.secretScopesCreate({
      scope: name,
      scope_backend_type: document.backend_type as 'DATABRICKS', // the server refuses others
    });
    await putPermissions(name, document, client);
    return name;
  },
  update: async ({ id, document, sent }, client) => {
    await putPermissions(id, document, client);
    const kept = new Set(permissionsOf(document).map(({ principal }) => principal));
    for (const { principal } of permissionsOf(sent))
      if (!kept.has(principal)) await nullIfAbsent(client.secretAclsDelete({ scope: id, principal }));
    return id;
  },
  delete: async (id, client) => {
    await nullIfAbsent(client.secretScopesDelete({ scope: id }));
  },
  find: async (document, client) => {
    const { scopes = [] } = await client.secretScopesList({});
    return scopes.filter(({ name }) => name === document.name).map(({ name }) => name);
  },
};

function toPermission({ level, principal }: ResolvedPermission): Permission[] {
  const known = secretPermissions.find((each) => each === level || `CAN_${each}` === level);
  // To see a bundle is no leave to read secrets: CAN_VIEW and CAN_RUN mean nothing here.
  return known === undefined || level === 'CAN_READ'
    ? []
    : [{ principal: principal.name, permission: known }];
}

function permissionsOf(document: Document): Permission[] {
  const { permissions } = document;
  return Array.isArray(permissions) ? (permissions.filter(isFields) as unknown as Permission[]) : []; // written by toDocument, or read from the contract
}

async function putPermissions(scope: string, document: Document, client: KindClient): Promise<void> {
  for (const { principal, permission } of permissionsOf(document))
    await client.secretAclsPut({ scope, principal, permission });
}
