import type { Handlers, routes } from '@headrace/api';
import type { RequestContext } from '../context.ts';
import type { Services } from '../services.ts';
import { deleteAcl, getAcl, listAcls, putAcl } from './change-acls.ts';
import { createScope, deleteScope } from './change-scopes.ts';
import { putSecret } from './put-secret.ts';
import { deleteSecret, listScopes, listSecrets, readSecret } from './read-secrets.ts';
import { readKeyStatus, rotateKey } from './rotate-key.ts';
import type { SecretKeys } from './secret-key.ts';

export interface SecretServices extends Pick<Services, 'db' | 'ids'> {
  readonly secretKeys: SecretKeys;
}

type SecretHandlers = Pick<
  Handlers<typeof routes, RequestContext>,
  | 'secretScopesCreate'
  | 'secretScopesList'
  | 'secretScopesDelete'
  | 'secretsPut'
  | 'secretsGet'
  | 'secretsList'
  | 'secretsDelete'
  | 'secretAclsPut'
  | 'secretAclsGet'
  | 'secretAclsList'
  | 'secretAclsDelete'
  | 'secretKeyGet'
  | 'secretKeyRotate'
>;

export function createSecretHandlers(
  services: SecretServices,
  rotation: { readonly isShared: boolean; readonly wakeLoop: () => void },
): SecretHandlers {
  const { db } = services;
  return {
    async secretScopesCreate({ scope, initial_manage_principal, scope_backend_type }, context) {
      const backendType = scope_backend_type;
      const initialManagePrincipal = initial_manage_principal;
      await createScope(services, { name: scope, initialManagePrincipal, backendType }, context);
      return {};
    },
    async secretScopesList() {
      return { scopes: await listScopes(db) };
    },
    async secretScopesDelete({ scope }, { principal }) {
      await deleteScope(services, scope, principal);
      return {};
    },
    async secretsPut({ scope, key, string_value: stringValue, bytes_value: bytesValue }, context) {
      await putSecret(services, { scope, key, stringValue, bytesValue }, context);
      return {};
    },
    async secretsGet(request, { principal }) {
      const { key, value } = await readSecret(services, request, principal);
      return { key, value: value.toString('base64') };
    },
    async secretsList({ scope }, { principal }) {
      return { secrets: await listSecrets(db, scope, principal) };
    },
    async secretsDelete(request, { principal }) {
      await deleteSecret(db, request, principal);
      return {};
    },
    async secretAclsPut(request, { principal }) {
      await putAcl(db, request, principal);
      return {};
    },
    secretAclsGet: (request, { principal }) => getAcl(db, request, principal),
    async secretAclsList({ scope }, { principal }) {
      return { items: await listAcls(db, scope, principal) };
    },
    async secretAclsDelete(request, { principal }) {
      await deleteAcl(db, request, principal);
      return {};
    },
    secretKeyGet: () => readKeyStatus(services),
    async secretKeyRotate(_request, { nowMs }) {
      const status = await rotateKey({ ...services, isShared: rotation.isShared }, nowMs);
      rotation.wakeLoop();
      return status;
    },
  };
}
