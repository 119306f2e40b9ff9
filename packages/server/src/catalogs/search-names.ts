/** Names by pattern across catalogs, for clients that browse. Patterns are those of LIKE; null: all. */
import type { Querier } from '../db/connect.ts';
import {
  type FoundColumn,
  type FoundSchema,
  type FoundTable,
  searchCatalogNames,
  searchColumnNames,
  searchSchemaNames,
  searchTableNames,
} from './search-store.ts';

/** Names that one answer holds at most: a list, no export. */
const foundMax = 50_000;

export interface NamePattern {
  readonly catalog: string | null;
  readonly schema: string | null;
  readonly table: string | null;
}

export function searchCatalogs(db: Querier): Promise<string[]> {
  return searchCatalogNames(db, foundMax);
}

export function searchSchemas(db: Querier, pattern: Omit<NamePattern, 'table'>): Promise<FoundSchema[]> {
  return searchSchemaNames(db, pattern, foundMax);
}

export function searchTables(db: Querier, pattern: NamePattern): Promise<FoundTable[]> {
  return searchTableNames(db, pattern, foundMax);
}

export function searchColumns(
  db: Querier,
  pattern: NamePattern & { readonly column: string | null },
): Promise<FoundColumn[]> {
  return searchColumnNames(db, pattern, foundMax);
}
