/** Tables and views. The Spark plug-in is their main client; other tools read them too. */
import { z } from 'zod';
import { comment, FullName, ObjectName, objectNameCharsMax, pageFields, recordFields } from './catalogs.ts';
import { route } from './route.ts';
import { epochMs, JsonValue, Nothing, textMap, wireBool, wireInt } from './wire.ts';

export const columnsMax = 10_000;
export const tableTypes = [
  'MANAGED',
  'EXTERNAL',
  'VIEW',
  'MATERIALIZED_VIEW',
  'STREAMING_TABLE',
  'FOREIGN',
  'EXTERNAL_SHALLOW_CLONE',
  'MANAGED_SHALLOW_CLONE',
  'METRIC_VIEW',
] as const;

export const ColumnInfo = z.looseObject({
  name: z.string().min(1),
  type_text: z.string().optional(),
  type_json: z.string().optional(),
  type_name: z.string().optional(),
  type_precision: wireInt.optional(),
  type_scale: wireInt.optional(),
  position: wireInt.optional(),
  nullable: wireBool.optional(),
  comment: z.string().optional(),
  partition_index: wireInt.optional(),
});
export type ColumnInfo = z.output<typeof ColumnInfo>;

/** JSON that the server stores and returns as it is; the plug-in keeps the exact schema and view details here. */
export const TableExtra = z.record(z.string(), JsonValue);

const tableFields = {
  table_type: z.enum(tableTypes),
  data_source_format: z.string().max(100).optional(),
  columns: z.array(ColumnInfo).max(columnsMax).optional(),
  storage_location: z.string().max(4_096).optional(),
  view_definition: z.string().optional(),
  headrace: TableExtra.optional(),
};

export const TableInfo = z.looseObject({
  name: z.string(),
  catalog_name: z.string(),
  schema_name: z.string(),
  full_name: z.string(),
  table_id: z.string(),
  ...tableFields,
  ...recordFields,
});
export type TableInfo = z.output<typeof TableInfo>;

const tablesPath = '/api/2.1/unity-catalog/tables';

export const tablesCreate = route({
  method: 'POST',
  path: tablesPath,
  summary: 'Makes a table or view known. A managed table without a location gets one.',
  request: z.looseObject({
    name: ObjectName,
    catalog_name: ObjectName,
    schema_name: ObjectName,
    ...tableFields,
    comment,
    properties: textMap.optional(),
  }),
  response: TableInfo,
  permission: 'user',
  audit: 'tables.create',
});

export const tablesGet = route({
  method: 'GET',
  path: `${tablesPath}/{full_name}`,
  summary: 'Shows one table.',
  request: z.object({ full_name: FullName }),
  response: TableInfo,
  permission: 'user',
  audit: 'tables.get',
});

export const tablesList = route({
  method: 'GET',
  path: tablesPath,
  summary: 'Lists the tables of a schema.',
  request: z.object({
    catalog_name: ObjectName,
    schema_name: ObjectName,
    omit_columns: wireBool.default(false),
    omit_properties: wireBool.default(false),
    ...pageFields,
  }),
  response: z.looseObject({ tables: z.array(TableInfo).optional(), next_page_token: z.string().optional() }),
  permission: 'user',
  audit: 'tables.list',
});

export const tablesUpdate = route({
  method: 'PATCH',
  path: `${tablesPath}/{full_name}`,
  summary:
    'Changes a table: its name or schema (within its catalog), owner, comment, columns, properties, view.',
  request: z.object({
    full_name: FullName,
    new_name: ObjectName.optional(),
    new_schema_name: ObjectName.optional(),
    owner: z.string().max(objectNameCharsMax).optional(),
    comment,
    columns: z.array(ColumnInfo).max(columnsMax).optional(),
    properties: textMap.optional(),
    view_definition: z.string().optional(),
    headrace: TableExtra.optional(),
  }),
  response: TableInfo,
  permission: 'user',
  audit: 'tables.update',
});

export const tablesDelete = route({
  method: 'DELETE',
  path: `${tablesPath}/{full_name}`,
  summary: 'Drops a table or view. A table can be restored for a while, unless it is purged.',
  request: z.object({ full_name: FullName, purge: wireBool.default(false) }),
  response: Nothing,
  permission: 'user',
  audit: 'tables.delete',
});

export const tablesExists = route({
  method: 'GET',
  path: `${tablesPath}/{full_name}/exists`,
  summary: 'Says whether a table exists.',
  request: z.object({ full_name: FullName }),
  response: z.looseObject({ table_exists: z.boolean() }),
  permission: 'user',
  audit: 'tables.exists',
});

export const tableLocationsCreate = route({
  method: 'POST',
  path: '/api/headrace/table-locations',
  summary:
    'Chooses the folder of a managed table that is about to be made, or says whether an external one may be there.',
  request: z.object({ full_name: FullName, storage_location: z.string().min(1).max(4_096).optional() }),
  response: z.looseObject({ location: z.string() }),
  permission: 'user',
  audit: 'table-locations.create',
});

export const DroppedTable = z.looseObject({
  table_id: z.string(),
  name: z.string(),
  catalog_name: z.string(),
  schema_name: z.string(),
  full_name: z.string(),
  table_type: z.enum(tableTypes),
  deleted_at: epochMs,
  deleted_by: z.string(),
  /** From then on its files go. */
  restorable_until: epochMs,
});
export type DroppedTable = z.output<typeof DroppedTable>;

const droppedPath = '/api/headrace/dropped-tables';

export const droppedTablesList = route({
  method: 'GET',
  path: droppedPath,
  summary: 'Lists tables that were dropped and can be restored, the newest first.',
  request: z.object({
    catalog_name: ObjectName.optional(),
    schema_name: ObjectName.optional(),
    ...pageFields,
  }),
  response: z.looseObject({
    tables: z.array(DroppedTable).optional(),
    next_page_token: z.string().optional(),
  }),
  permission: 'user',
  audit: 'tables.list-dropped',
});

export const droppedTablesUndrop = route({
  method: 'POST',
  path: `${droppedPath}/undrop`,
  summary: 'Restores a dropped table: by name the last that was dropped, or by id.',
  request: z.object({
    full_name: FullName.optional(),
    table_id: z.uuid().optional(),
    new_name: ObjectName.optional(),
  }),
  response: TableInfo,
  permission: 'user',
  audit: 'tables.undrop',
});
