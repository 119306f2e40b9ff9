import crypto from 'node:crypto';
import type { Handlers, routes } from '@headrace/api';
import type { RequestContext } from '../context.ts';
import { foreignKeyViolation, sqlState, uniqueViolation } from '../db/connect.ts';
import type { Services } from '../services.ts';
import { findCatalog } from './catalog-store.ts';
import { dropSchema } from './delete-tables.ts';
import { readNamePage } from './name-pages.ts';
import { foldName, formatSchemaName, parseSchemaName, type SchemaName } from './names.ts';
import { missing, taken } from './problems.ts';
import { findSchema, insertSchema, listSchemas, type SchemaRow, updateSchema } from './schema-store.ts';
import { toSchemaInfo } from './wire.ts';

type SchemaHandlers = Pick<
  Handlers<typeof routes, RequestContext>,
  'schemasCreate' | 'schemasGet' | 'schemasList' | 'schemasUpdate' | 'schemasDelete'
>;

export function createSchemaHandlers(services: Services): SchemaHandlers {
  const { db } = services;
  return {
    async schemasCreate(request, { principal, nowMs }) {
      const name = { catalog: foldName(request.catalog_name), schema: foldName(request.name) };
      const catalog = await findCatalog(db, name.catalog);
      if (!catalog) throw missing('Catalog', name.catalog);
      const row = {
        id: crypto.randomUUID(),
        catalogId: catalog.id,
        name: name.schema,
        comment: request.comment ?? null,
        properties: request.properties ?? {},
        storageRoot: request.storage_root ?? null,
      };
      const inserted = await insertSchema(db, row, { by: principal.userName, atMs: nowMs }).catch((error) => {
        throw sqlState(error) === foreignKeyViolation ? missing('Catalog', name.catalog) : error;
      });
      if (!inserted) throw taken('Schema', formatSchemaName(name));
      return toSchemaInfo(await requireSchema(services, name));
    },
    async schemasGet({ full_name }) {
      return toSchemaInfo(await requireSchema(services, parseSchemaName(full_name)));
    },
    async schemasList(request) {
      const catalog = foldName(request.catalog_name);
      if (!(await findCatalog(db, catalog))) throw missing('Catalog', catalog);
      const { rows, next } = await readNamePage(request, (page) => listSchemas(db, { catalog, ...page }));
      return { schemas: rows.map(toSchemaInfo), ...next };
    },
    async schemasUpdate(request, { principal, nowMs }) {
      const name = parseSchemaName(request.full_name);
      const newName = request.new_name === undefined ? null : foldName(request.new_name);
      const { owner = null, comment = null, properties = null } = request;
      const changes = { name: newName, owner, comment, properties };
      const row = await updateSchema(db, name, changes, { by: principal.userName, atMs: nowMs }).catch(
        (error) => {
          const wanted = formatSchemaName({ ...name, schema: newName ?? name.schema });
          throw sqlState(error) === uniqueViolation ? taken('Schema', wanted) : error;
        },
      );
      if (!row) throw missing('Schema', formatSchemaName(name));
      return toSchemaInfo(row);
    },
    async schemasDelete({ full_name, force }, { nowMs }) {
      await dropSchema(services, parseSchemaName(full_name), { force, nowMs });
      return {};
    },
  };
}

/** Says which level is missing. */
export async function requireSchema({ db }: Pick<Services, 'db'>, name: SchemaName): Promise<SchemaRow> {
  const row = await findSchema(db, name);
  if (row) return row;
  if (!(await findCatalog(db, name.catalog))) throw missing('Catalog', name.catalog);
  throw missing('Schema', formatSchemaName(name));
}
