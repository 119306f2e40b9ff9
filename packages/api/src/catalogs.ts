/** Catalogs and schemas: the upper two levels of table names. */
import { z } from 'zod';
import { route } from './route.ts';
import { epochMs, Nothing, textMap, wireBool, wireIntBetween } from './wire.ts';

export const objectNameCharsMax = 255;
/** Larger pages are cut to this. */
export const catalogPageMax = 1_000;
export const commentCharsMax = 10_000;

/** One part of a name: no dot, no slash, no space, no control character. */
export const ObjectName = z
  .string()
  .min(1)
  .max(objectNameCharsMax)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
  .regex(/^[^\u0000-\u0020./\u007f]+$/);

/** `catalog.schema` or `catalog.schema.table`; which of them, the handler says. */
export const FullName = z
  .string()
  .min(1)
  .max(3 * objectNameCharsMax + 2);

export const comment = z.string().max(commentCharsMax).optional();

export const pageFields = {
  /** 0: the server chooses. */
  max_results: wireIntBetween({ min: 0 }).default(0),
  page_token: z.string().default(''),
};

/** Fields that every object of the metastore shows. */
export const recordFields = {
  owner: z.string().optional(),
  comment: z.string().optional(),
  properties: textMap.optional(),
  created_at: epochMs.optional(),
  created_by: z.string().optional(),
  updated_at: epochMs.optional(),
  updated_by: z.string().optional(),
};

export const CatalogInfo = z.looseObject({
  name: z.string(),
  full_name: z.string().optional(),
  catalog_type: z.string().optional(),
  storage_root: z.string().optional(),
  options: textMap.optional(),
  ...recordFields,
});
export type CatalogInfo = z.output<typeof CatalogInfo>;

export const SchemaInfo = z.looseObject({
  name: z.string(),
  catalog_name: z.string(),
  full_name: z.string(),
  schema_id: z.string().optional(),
  storage_root: z.string().optional(),
  ...recordFields,
});
export type SchemaInfo = z.output<typeof SchemaInfo>;

const catalogsPath = '/api/2.1/unity-catalog/catalogs';
const schemasPath = '/api/2.1/unity-catalog/schemas';
const storageRoot = z.string().max(4_096).optional();

export const catalogsCreate = route({
  method: 'POST',
  path: catalogsPath,
  summary: 'Makes a catalog.',
  request: z.object({
    name: ObjectName,
    comment,
    properties: textMap.optional(),
    options: textMap.optional(),
    storage_root: storageRoot,
  }),
  response: CatalogInfo,
  permission: 'admin',
  audit: 'catalogs.create',
});

export const catalogsGet = route({
  method: 'GET',
  path: `${catalogsPath}/{name}`,
  summary: 'Shows one catalog.',
  request: z.object({ name: ObjectName }),
  response: CatalogInfo,
  permission: 'user',
  audit: 'catalogs.get',
});

export const catalogsList = route({
  method: 'GET',
  path: catalogsPath,
  summary: 'Lists catalogs.',
  request: z.object(pageFields),
  response: z.looseObject({
    catalogs: z.array(CatalogInfo).optional(),
    next_page_token: z.string().optional(),
  }),
  permission: 'user',
  audit: 'catalogs.list',
});

export const catalogsUpdate = route({
  method: 'PATCH',
  path: `${catalogsPath}/{name}`,
  summary: 'Changes a catalog.',
  request: z.object({
    name: ObjectName,
    new_name: ObjectName.optional(),
    owner: z.string().max(objectNameCharsMax).optional(),
    comment,
    properties: textMap.optional(),
    options: textMap.optional(),
  }),
  response: CatalogInfo,
  permission: 'admin',
  audit: 'catalogs.update',
});

export const catalogsDelete = route({
  method: 'DELETE',
  path: `${catalogsPath}/{name}`,
  summary: 'Deletes a catalog; one that holds schemas only by force.',
  request: z.object({ name: ObjectName, force: wireBool.default(false) }),
  response: Nothing,
  permission: 'admin',
  audit: 'catalogs.delete',
});

export const schemasCreate = route({
  method: 'POST',
  path: schemasPath,
  summary: 'Makes a schema in a catalog.',
  request: z.object({
    name: ObjectName,
    catalog_name: ObjectName,
    comment,
    properties: textMap.optional(),
    storage_root: storageRoot,
  }),
  response: SchemaInfo,
  permission: 'user',
  audit: 'schemas.create',
});

export const schemasGet = route({
  method: 'GET',
  path: `${schemasPath}/{full_name}`,
  summary: 'Shows one schema.',
  request: z.object({ full_name: FullName }),
  response: SchemaInfo,
  permission: 'user',
  audit: 'schemas.get',
});

export const schemasList = route({
  method: 'GET',
  path: schemasPath,
  summary: 'Lists the schemas of a catalog.',
  request: z.object({ catalog_name: ObjectName, ...pageFields }),
  response: z.looseObject({
    schemas: z.array(SchemaInfo).optional(),
    next_page_token: z.string().optional(),
  }),
  permission: 'user',
  audit: 'schemas.list',
});

export const schemasUpdate = route({
  method: 'PATCH',
  path: `${schemasPath}/{full_name}`,
  summary: 'Changes a schema.',
  request: z.object({
    full_name: FullName,
    new_name: ObjectName.optional(),
    owner: z.string().max(objectNameCharsMax).optional(),
    comment,
    properties: textMap.optional(),
  }),
  response: SchemaInfo,
  permission: 'user',
  audit: 'schemas.update',
});

export const schemasDelete = route({
  method: 'DELETE',
  path: `${schemasPath}/{full_name}`,
  summary: 'Deletes a schema; one that holds tables only by force.',
  request: z.object({ full_name: FullName, force: wireBool.default(false) }),
  response: Nothing,
  permission: 'user',
  audit: 'schemas.delete',
});
