/** Every catalog's name: each becomes one of Spark's. Claims ask for them again and again, so they are remembered. */
import type { Services } from '../services.ts';
import { listCatalogs } from './catalog-store.ts';

export interface CatalogNames {
  list(): Promise<readonly string[]>;
  /** After a catalog was made, renamed or deleted by this server. */
  forget(): void;
}

/** How long another server's change may go unnoticed. */
const rememberedMs = 1_000;
/** Each is configured in every Spark session; a metastore with more is split before that becomes a burden. */
const catalogsMax = 200;

export function createCatalogNames({ db, clock }: Pick<Services, 'db' | 'clock'>): CatalogNames {
  let known: { names: Promise<readonly string[]>; untilMs: number } | null = null;

  async function read(): Promise<readonly string[]> {
    const rows = await listCatalogs(db, { after: '', limit: catalogsMax });
    return rows.map(({ name }) => name);
  }

  return {
    list() {
      const nowMs = clock.nowMs();
      if (known && known.untilMs > nowMs) return known.names;
      const names = read();
      known = { names, untilMs: nowMs + rememberedMs };
      names.catch(() => {
        if (known?.names === names) known = null;
      });
      return names;
    },
    forget() {
      known = null;
    },
  };
}
