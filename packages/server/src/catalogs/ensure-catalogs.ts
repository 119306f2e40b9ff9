import { ApiError } from '@headrace/api';
import type { Services } from '../services.ts';
import { findCatalog, listCatalogs } from './catalog-store.ts';
import { createCatalog } from './create-catalog.ts';

/** What the first start makes. Later starts leave it to people: a catalog that was deleted stays deleted. */
const firstCatalogs = [
  { name: 'main', comment: 'The default catalog.' },
  { name: 'dev', comment: 'For development.' },
];

export async function ensureCatalogs(services: Services, owner: string): Promise<void> {
  const [any] = await listCatalogs(services.db, { after: '', limit: 1 });
  const wanted = any ? [] : [...firstCatalogs];
  const { defaultCatalog } = services.config;
  // Two-level names must lead somewhere at every start.
  if (
    !wanted.some(({ name }) => name === defaultCatalog) &&
    !(await findCatalog(services.db, defaultCatalog))
  ) {
    wanted.push({ name: defaultCatalog, comment: 'The default catalog.' });
  }
  const stamp = { by: owner, atMs: services.clock.nowMs() };
  for (const catalog of wanted) {
    await createCatalog(services, catalog, stamp).catch((error) => {
      // Another server starts on the same database and was first.
      if (!(error instanceof ApiError && error.code === 'RESOURCE_ALREADY_EXISTS')) throw error;
    });
  }
}
