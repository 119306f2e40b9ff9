/** The port to lists of names, on the metastore. */
import { searchCatalogs, searchColumns, searchSchemas, searchTables } from '../catalogs/search-names.ts';
import type { Querier } from '../db/connect.ts';
import type { NameSearch } from './caller.ts';

const viewTypes: readonly string[] = ['VIEW', 'MATERIALIZED_VIEW', 'METRIC_VIEW'];

export function createNameSearch(db: Querier): NameSearch {
  return {
    catalogs: () => searchCatalogs(db),
    schemas: (by) => searchSchemas(db, by),
    async tables(by) {
      const found = await searchTables(db, by);
      return found.map(({ catalog, schema, name, tableType, comment }) => ({
        ...{ catalog, schema, table: name, comment, isView: viewTypes.includes(tableType) },
      }));
    },
    async columns(by) {
      const found = await searchColumns(db, by);
      return found.map(({ catalog, schema, table, column, position }) => ({
        ...{ catalog, schema, table, column: column.name, position },
        typeText: column.type_text ?? column.type_name ?? 'STRING',
        typeName: column.type_name ?? 'STRING',
        precision: column.type_name === 'DECIMAL' ? (column.type_precision ?? null) : null,
        scale: column.type_name === 'DECIMAL' ? (column.type_scale ?? null) : null,
        isNullable: column.nullable ?? true,
        comment: column.comment ?? null,
      }));
    },
  };
}
