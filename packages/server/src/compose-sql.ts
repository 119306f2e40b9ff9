/** Puts SQL warehouses and the statement engine together. */
import type { Handlers, routes } from '@headrace/api';
import { loadTaskTokenKey } from './attempts/task-token.ts';
import type { CatalogNames } from './catalogs/catalog-names.ts';
import type { ClusterBook } from './compute/cluster-book.ts';
import type { RequestContext } from './context.ts';
import type { LoopDriver } from './loops/driver.ts';
import { cancelRun } from './runs/cancel-run.ts';
import type { RunServices } from './runs/create-run.ts';
import { Bell } from './statements/bell.ts';
import { EndpointWatch } from './statements/endpoint-watch.ts';
import { ensureEndpoint } from './statements/endpoints.ts';
import { createStatementEngine } from './statements/engine.ts';
import { createStatementHandlers } from './statements/handlers.ts';
import type { StatementEngine } from './statements/ports.ts';
import { createResultFilesLoop } from './statements/result-files-loop.ts';
import { createStatementLoop, statementLoopName } from './statements/statement-loop.ts';
import { retireEndpoints, stopEndpoints } from './statements/stop-endpoints.ts';
import { createWarehouseHandlers } from './warehouses/handlers.ts';
import { createWarehouseLoop, type WarehouseLoopOptions } from './warehouses/warehouse-loop.ts';

export interface SqlParts {
  readonly engine: StatementEngine;
  handlers(publicUrl: () => string): SqlHandlers;
  startLoops(): void;
}

type SqlNames =
  | Extract<keyof typeof routes, `warehouse${string}`>
  | Extract<keyof typeof routes, `statements${string}`>
  | Extract<keyof typeof routes, `sqlSessions${string}`>
  | Extract<keyof typeof routes, `sqlEndpoint${string}`>
  | 'queryHistoryList';
type SqlHandlers = Pick<Handlers<typeof routes, RequestContext>, SqlNames>;

/** Where one server is alone, its own bell tells all; this is for what was lost with a process. */
const lookAloneMs = 1_000;
/** Servers that share a PostgreSQL find each other's statements so. */
const lookSharedMs = 100;

export async function composeSql(
  runServices: RunServices,
  {
    clusters,
    catalogNames,
    loops,
    mayHaveNeighbours,
  }: {
    readonly clusters: Pick<ClusterBook, 'announce'>;
    readonly catalogNames: CatalogNames;
    readonly loops: LoopDriver;
    readonly mayHaveNeighbours: boolean;
  },
): Promise<SqlParts> {
  const bell = new Bell();
  const lookEveryMs = mayHaveNeighbours ? lookSharedMs : lookAloneMs;
  const serveSoon = () => loops.wake(statementLoopName);
  const watch = new EndpointWatch(runServices.events, serveSoon);
  const { list: listCatalogNames } = catalogNames;
  const services = { ...runServices, bell, lookEveryMs, watch, serveSoon, listCatalogNames };
  const engine = createStatementEngine(services);
  const linkKey = await loadTaskTokenKey(services.db);
  const { announce } = clusters;
  const stopped = async (warehouse: { readonly warehouseId: string; readonly clusterId: string }) => {
    await stopEndpoints(services, warehouse);
    await announce(warehouse.clusterId);
  };
  return {
    engine,
    handlers: (publicUrl) => ({
      ...createWarehouseHandlers(services, {
        announce,
        stopped,
        warmUp: ({ warehouseId, clusterId }, principal) =>
          ensureEndpoint(services, { warehouseId, clusterId, principal }),
        publicUrl,
      }),
      ...createStatementHandlers({ services, engine, linkKey, publicUrl }),
    }),
    startLoops() {
      loops.add(createStatementLoop(services));
      loops.add(createResultFilesLoop(services));
      const idle: WarehouseLoopOptions = {
        retireEndpoints: (client, warehouseId) =>
          retireEndpoints(client, { warehouseId, nowMs: services.clock.nowMs() }),
        async onStopped({ clusterId }, runIds) {
          for (const runId of runIds) {
            watch.remove(runId);
            await cancelRun(services, runId);
          }
          await announce(clusterId);
        },
      };
      loops.add(createWarehouseLoop(services, idle));
    },
  };
}
