/**
 * Secrets: values by scope and key, and who may use a scope. Names, limits and errors as the public documentation
 * has them (docs.databricks.com/api/secrets and …/security/secrets, read 2026-11-21).
 */
import { z } from 'zod';
import { route } from './route.ts';
import { epochMs, Nothing, wireOneOf } from './wire.ts';

export const secretNameCharsMax = 128;
export const secretValueBytesMax = 128 * 1024;
export const secretsPerScopeMax = 1_000;
/** The reference of the SDK says 100, the guide of today 1000. */
export const secretScopesMax = 1_000;
/** The longest base64 of a value, with line breaks in it. */
const encodedCharsMax = 2 * secretValueBytesMax;

/** Each includes those before it. */
export const secretPermissions = ['READ', 'WRITE', 'MANAGE'] as const;
export type SecretPermission = (typeof secretPermissions)[number];

/** Scopes that hold their values elsewhere are refused: Headrace keeps secrets itself. */
export const secretBackendTypes = ['DATABRICKS', 'AZURE_KEYVAULT'] as const;

const newScope = z
  .string()
  .min(1)
  .max(secretNameCharsMax)
  .regex(/^[\w.@-]+$/);
const newKey = z
  .string()
  .min(1)
  .max(secretNameCharsMax)
  .regex(/^[\w.-]+$/);
/** Of something that exists: whatever else is asked for does not. */
const name = z.string().min(1).max(1_000);

export const SecretScope = z.looseObject({ name: z.string(), backend_type: z.enum(secretBackendTypes) });
export type SecretScope = z.output<typeof SecretScope>;
export const SecretMetadata = z.looseObject({ key: z.string(), last_updated_timestamp: epochMs });
export type SecretMetadata = z.output<typeof SecretMetadata>;
export const SecretAcl = z.looseObject({ principal: z.string(), permission: z.enum(secretPermissions) });
export type SecretAcl = z.output<typeof SecretAcl>;

export const secretScopesCreate = route({
  method: 'POST',
  path: '/api/2.0/secrets/scopes/create',
  summary: 'Makes a scope; whoever makes it manages it, or everybody with initial_manage_principal "users".',
  request: z.object({
    scope: newScope,
    initial_manage_principal: z.string().max(secretNameCharsMax).optional(),
    scope_backend_type: wireOneOf(secretBackendTypes).optional(),
    backend_azure_keyvault: z.looseObject({}).optional(),
  }),
  response: Nothing,
  permission: 'user',
  audit: 'secrets.create-scope',
});

export const secretScopesList = route({
  method: 'GET',
  path: '/api/2.0/secrets/scopes/list',
  summary: 'Lists all scopes: their names are open to every user.',
  request: z.object({}),
  response: z.looseObject({ scopes: z.array(SecretScope).optional() }),
  permission: 'user',
  audit: 'secrets.list-scopes',
});

export const secretScopesDelete = route({
  method: 'POST',
  path: '/api/2.0/secrets/scopes/delete',
  summary: 'Deletes a scope with its secrets and access list.',
  request: z.object({ scope: name }),
  response: Nothing,
  permission: 'user',
  audit: 'secrets.delete-scope',
});

export const secretsPut = route({
  method: 'POST',
  path: '/api/2.0/secrets/put',
  summary:
    'Stores a value under a key, in place of one that is there; exactly one of the two values is given.',
  request: z.object({
    scope: name,
    key: newKey,
    string_value: z.string().max(secretValueBytesMax).optional(),
    /** In base64. */
    bytes_value: z.string().max(encodedCharsMax).optional(),
  }),
  response: Nothing,
  permission: 'user',
  audit: 'secrets.put',
});

export const secretsGet = route({
  method: 'GET',
  path: '/api/2.0/secrets/get',
  summary: 'Gives the bytes of a value, in base64, to whoever may read the scope.',
  request: z.object({ scope: name, key: name }),
  response: z.looseObject({ key: z.string(), value: z.string() }),
  permission: 'user',
  audit: 'secrets.get',
});

export const secretsList = route({
  method: 'GET',
  path: '/api/2.0/secrets/list',
  summary: 'Lists the keys of a scope, without their values.',
  request: z.object({ scope: name }),
  response: z.looseObject({ secrets: z.array(SecretMetadata).optional() }),
  permission: 'user',
  audit: 'secrets.list',
});

export const secretsDelete = route({
  method: 'POST',
  path: '/api/2.0/secrets/delete',
  summary: 'Deletes a key and its value.',
  request: z.object({ scope: name, key: name }),
  response: Nothing,
  permission: 'user',
  audit: 'secrets.delete',
});

/**
 * `SETTLED`: one key seals all. `PREPARED`: a new one is in the key file, and nothing is sealed with it yet.
 * `RESEALING`: what the former one has sealed is being sealed anew.
 */
export const secretKeyStates = ['SETTLED', 'PREPARED', 'RESEALING'] as const;

export const SecretKeyStatus = z.looseObject({
  state: z.enum(secretKeyStates),
  /** Of the key that seals; left out while nothing has been sealed. */
  fingerprint: z.string().optional(),
  /** Where the server that answers has its keys. */
  file: z.string(),
  /** Secrets and tokens of Git credentials. */
  values: z.int(),
  values_left: z.int(),
  /** Fingerprints of keys that something may still be sealed with. */
  retiring: z.array(z.string()),
  /** Why what is sealed cannot be read on this server, or why the change of keys cannot end. */
  problem: z.string().optional(),
});
export type SecretKeyStatus = z.output<typeof SecretKeyStatus>;

export const secretKeyGet = route({
  method: 'GET',
  path: '/api/headrace/secrets/key',
  summary: 'Tells which key seals secrets, and how far the change of it is.',
  request: z.object({}),
  response: SecretKeyStatus,
  permission: 'admin',
  audit: 'secrets.get-key',
});

export const secretKeyRotate = route({
  method: 'POST',
  path: '/api/headrace/secrets/rotate-key',
  summary:
    'Begins to seal all secrets with a new key, or tells how far it is; where servers share a store, the first call only makes the key.',
  request: z.object({}),
  response: SecretKeyStatus,
  permission: 'admin',
  audit: 'secrets.rotate-key',
});

export const secretAclsPut = route({
  method: 'POST',
  path: '/api/2.0/secrets/acls/put',
  summary: 'Gives a user, or the group users or admins, a permission on a scope, in place of the one it has.',
  request: z.object({ scope: name, principal: name, permission: wireOneOf(secretPermissions) }),
  response: Nothing,
  permission: 'user',
  audit: 'secrets.put-acl',
});

export const secretAclsGet = route({
  method: 'GET',
  path: '/api/2.0/secrets/acls/get',
  summary: 'Tells which permission a user or group has been given on a scope.',
  request: z.object({ scope: name, principal: name }),
  response: SecretAcl,
  permission: 'user',
  audit: 'secrets.get-acl',
});

export const secretAclsList = route({
  method: 'GET',
  path: '/api/2.0/secrets/acls/list',
  summary: 'Lists the permissions given on a scope.',
  request: z.object({ scope: name }),
  response: z.looseObject({ items: z.array(SecretAcl).optional() }),
  permission: 'user',
  audit: 'secrets.list-acls',
});

export const secretAclsDelete = route({
  method: 'POST',
  path: '/api/2.0/secrets/acls/delete',
  summary: 'Takes away the permission that a user or group has on a scope.',
  request: z.object({ scope: name, principal: name }),
  response: Nothing,
  permission: 'user',
  audit: 'secrets.delete-acl',
});
