import type { Handlers, routes } from '@headrace/api';
import type { RequestContext } from '../context.ts';
import type { Services } from '../services.ts';
import type { CatalogNames } from './catalog-names.ts';
import { changeCatalog, getCatalog, listCatalogPage } from './change-catalogs.ts';
import { changeSchema, createSchema, listSchemaPage, requireSchema } from './change-schemas.ts';
import { changeTable, chooseLocation, hasTable, listTablePage, requireTable } from './change-tables.ts';
import { createCatalog } from './create-catalog.ts';
import { createTable } from './create-table.ts';
import { dropCatalog, dropSchema, dropTable } from './drop-tables.ts';
import { followLog } from './follow-log.ts';
import { foldName, formatTableName, parseSchemaName, parseTableName } from './names.ts';
import { missing } from './problems.ts';
import type { Stamp } from './rows.ts';
import { listDroppedPage, undropTable } from './undrop-table.ts';
import { toCatalogInfo, toSchemaInfo, toTableInfo } from './wire.ts';

type AllHandlers = Handlers<typeof routes, RequestContext>;
type CatalogHandlers = Pick<
  AllHandlers,
  'catalogsCreate' | 'catalogsGet' | 'catalogsList' | 'catalogsUpdate' | 'catalogsDelete'
>;
type SchemaHandlers = Pick<
  AllHandlers,
  'schemasCreate' | 'schemasGet' | 'schemasList' | 'schemasUpdate' | 'schemasDelete'
>;
type TableHandlers = Pick<
  AllHandlers,
  | 'tablesCreate'
  | 'tablesGet'
  | 'tablesList'
  | 'tablesUpdate'
  | 'tablesDelete'
  | 'tablesExists'
  | 'tableLocationsCreate'
  | 'droppedTablesList'
  | 'droppedTablesUndrop'
  | 'functionsList'
  | 'functionsGet'
>;

export function createMetastoreHandlers(
  services: Services,
  names: CatalogNames,
): CatalogHandlers & SchemaHandlers & TableHandlers {
  return {
    ...createCatalogHandlers(services, names),
    ...createSchemaHandlers(services),
    ...createTableHandlers(services),
  };
}

const stampOf = ({ principal, nowMs }: RequestContext): Stamp => ({ by: principal.userName, atMs: nowMs });

function createCatalogHandlers(services: Services, names: CatalogNames): CatalogHandlers {
  const { db } = services;
  return {
    async catalogsCreate(request, context) {
      const row = await createCatalog(services, request, stampOf(context));
      names.forget();
      return toCatalogInfo(row);
    },
    catalogsGet: async ({ name }) => toCatalogInfo(await getCatalog(db, name)),
    async catalogsList(request) {
      const { rows, next } = await listCatalogPage(db, request);
      return { catalogs: rows.map(toCatalogInfo), ...next };
    },
    async catalogsUpdate(request, context) {
      const row = await changeCatalog(services, request, stampOf(context));
      names.forget();
      return toCatalogInfo(row);
    },
    async catalogsDelete({ name, force }, context) {
      await dropCatalog(services, foldName(name), { force, stamp: stampOf(context) });
      names.forget();
      return {};
    },
  };
}

function createSchemaHandlers(services: Services): SchemaHandlers {
  const { db } = services;
  return {
    schemasCreate: async (request, context) =>
      toSchemaInfo(await createSchema(services, request, stampOf(context))),
    schemasGet: async ({ full_name }) => toSchemaInfo(await requireSchema(db, parseSchemaName(full_name))),
    async schemasList(request) {
      const { rows, next } = await listSchemaPage(db, request);
      return { schemas: rows.map(toSchemaInfo), ...next };
    },
    schemasUpdate: async (request, context) =>
      toSchemaInfo(await changeSchema(services, request, stampOf(context))),
    async schemasDelete({ full_name, force }, context) {
      await dropSchema(services, parseSchemaName(full_name), { force, stamp: stampOf(context) });
      return {};
    },
  };
}

function createTableHandlers(services: Services): TableHandlers {
  const { db } = services;
  return {
    tablesCreate: async (request, context) =>
      toTableInfo(await createTable(services, request, stampOf(context))),
    async tablesGet({ full_name }, { attemptId }) {
      const row = await requireTable(db, parseTableName(full_name));
      // A task reads the log itself, and tells what it finds.
      return toTableInfo(attemptId === null ? await followLog(services, row) : row);
    },
    async tablesList(request) {
      const { rows, next } = await listTablePage(db, request);
      return { tables: rows.map(toTableInfo), ...next };
    },
    tablesUpdate: async (request, context) => toTableInfo(await changeTable(db, request, stampOf(context))),
    async tablesDelete({ full_name, purge }, context) {
      await dropTable(services, parseTableName(full_name), { purge, stamp: stampOf(context) });
      return {};
    },
    async tablesExists({ full_name }) {
      return { table_exists: await hasTable(db, parseTableName(full_name)) };
    },
    async tableLocationsCreate(request, { attemptId, nowMs }) {
      return { location: await chooseLocation(services, request, { attemptId, nowMs }) };
    },
    async functionsList({ catalog_name, schema_name }) {
      await requireSchema(db, { catalog: foldName(catalog_name), schema: foldName(schema_name) });
      return { functions: [] };
    },
    async functionsGet({ name }) {
      const function_ = parseTableName(name);
      await requireSchema(db, function_);
      throw missing('Function', formatTableName(function_));
    },
    droppedTablesList: (request, { nowMs }) => listDroppedPage(services, request, nowMs),
    droppedTablesUndrop: async (request, context) =>
      toTableInfo(await undropTable(services, request, stampOf(context))),
  };
}
