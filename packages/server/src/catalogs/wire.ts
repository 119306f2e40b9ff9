import type { CatalogInfo, SchemaInfo, TableInfo } from '@headrace/api';
import type { CatalogRow } from './catalog-store.ts';
import type { SchemaRow } from './schema-store.ts';
import { readConstraints } from './table-constraints.ts';
import type { TableRow } from './table-store.ts';

export function toCatalogInfo(row: CatalogRow): CatalogInfo {
  return {
    name: row.name,
    full_name: row.name,
    id: row.id,
    catalog_type: 'MANAGED_CATALOG',
    securable_type: 'CATALOG',
    isolation_mode: row.isolationMode,
    options: row.options,
    ...(row.storageRoot === null ? {} : { storage_root: row.storageRoot, storage_location: row.storageRoot }),
    ...toRecordFields(row),
  };
}

export function toSchemaInfo(row: SchemaRow): SchemaInfo {
  return {
    name: row.name,
    catalog_name: row.catalog,
    full_name: `${row.catalog}.${row.name}`,
    schema_id: row.id,
    catalog_type: 'MANAGED_CATALOG',
    ...(row.storageRoot === null ? {} : { storage_root: row.storageRoot }),
    ...(row.managedRoot === null ? {} : { storage_location: row.managedRoot }),
    ...toRecordFields(row),
  };
}

export function toTableInfo(row: TableRow): TableInfo {
  return {
    name: row.name,
    catalog_name: row.catalog,
    schema_name: row.schema,
    full_name: `${row.catalog}.${row.schema}.${row.name}`,
    table_id: row.id,
    table_type: row.tableType,
    columns: [...row.columns],
    headrace: row.headrace,
    ...withConstraints(row),
    ...(row.dataSourceFormat === null ? {} : { data_source_format: row.dataSourceFormat }),
    ...(row.storageLocation === null ? {} : { storage_location: row.storageLocation }),
    ...(row.viewDefinition === null ? {} : { view_definition: row.viewDefinition }),
    ...toRecordFields(row),
  };
}

function withConstraints({ properties }: TableRow) {
  const constraints = readConstraints(properties);
  return constraints.length === 0 ? {} : { table_constraints: constraints };
}

function toRecordFields(
  row: Pick<
    CatalogRow,
    'owner' | 'comment' | 'properties' | 'createdAtMs' | 'createdBy' | 'updatedAtMs' | 'updatedBy'
  >,
) {
  return {
    owner: row.owner,
    ...(row.comment === null ? {} : { comment: row.comment }),
    properties: row.properties,
    created_at: row.createdAtMs,
    created_by: row.createdBy,
    updated_at: row.updatedAtMs,
    updated_by: row.updatedBy,
  };
}
