import type { Handlers, routes } from '@headrace/api';
import type { RequestContext } from '../context.ts';
import { sqlState, uniqueViolation } from '../db/connect.ts';
import type { Services } from '../services.ts';
import type { CatalogNames } from './catalog-names.ts';
import { findCatalog, listCatalogs, updateCatalog } from './catalog-store.ts';
import { createCatalog } from './create-catalog.ts';
import { dropCatalog } from './delete-tables.ts';
import { readNamePage } from './name-pages.ts';
import { foldName } from './names.ts';
import { missing, taken } from './problems.ts';
import { toCatalogInfo } from './wire.ts';

type CatalogHandlers = Pick<
  Handlers<typeof routes, RequestContext>,
  'catalogsCreate' | 'catalogsGet' | 'catalogsList' | 'catalogsUpdate' | 'catalogsDelete'
>;

export function createCatalogHandlers(services: Services, names: CatalogNames): CatalogHandlers {
  const { db } = services;
  return {
    async catalogsCreate(request, { principal, nowMs }) {
      const row = await createCatalog(services, request, { by: principal.userName, atMs: nowMs });
      names.forget();
      return toCatalogInfo(row);
    },
    async catalogsGet({ name }) {
      const row = await findCatalog(db, foldName(name));
      if (!row) throw missing('Catalog', foldName(name));
      return toCatalogInfo(row);
    },
    async catalogsList(request) {
      const { rows, next } = await readNamePage(request, (page) => listCatalogs(db, page));
      return { catalogs: rows.map(toCatalogInfo), ...next };
    },
    async catalogsUpdate(request, { principal, nowMs }) {
      const name = foldName(request.name);
      const newName = request.new_name === undefined ? null : foldName(request.new_name);
      const { owner = null, comment = null, properties = null, options = null } = request;
      const changes = { name: newName, owner, comment, properties, options };
      const row = await updateCatalog(db, name, changes, { by: principal.userName, atMs: nowMs }).catch(
        (error) => {
          throw sqlState(error) === uniqueViolation ? taken('Catalog', newName ?? name) : error;
        },
      );
      if (!row) throw missing('Catalog', name);
      names.forget();
      return toCatalogInfo(row);
    },
    async catalogsDelete({ name, force }, { nowMs }) {
      await dropCatalog(services, foldName(name), { force, nowMs });
      names.forget();
      return {};
    },
  };
}
