/** Puts together what those who run the server look at, and what keeps the store from growing for ever. */
import type { Handlers, routes } from '@headrace/api';
import { listWorkers } from './attempts/worker-status.ts';
import { createAuditRetentionLoop } from './audit/retention-loop.ts';
import { createDiscardLoop } from './blobs/discard.ts';
import { createPlacementLoop } from './bundles/settle-placement.ts';
import { createAbandonedFoldersLoop } from './catalogs/abandoned-folders-loop.ts';
import { createDroppedTablesLoop } from './catalogs/undrop-table.ts';
import { createClusterRetentionLoop } from './compute/cluster-retention-loop.ts';
import type { RequestContext } from './context.ts';
import { createHandlesLoop } from './dbfs/send-blocks.ts';
import { createDoctor } from './doctor/doctor.ts';
import { sealedCredentials } from './git/reseal-credentials.ts';
import { createGitRetentionLoop } from './git/retention-loop.ts';
import type { LoopDriver } from './loops/driver.ts';
import { createMetrics, type Metrics } from './metrics/metrics.ts';
import { createOtlpLoop } from './metrics/otlp.ts';
import { createLibrariesLoop } from './retention/libraries-loop.ts';
import { createRunFilesLoop } from './retention/run-files-loop.ts';
import { createRunPurgeLoop } from './retention/run-purge-loop.ts';
import { createRunRetentionLoop } from './retention/run-retention-loop.ts';
import type { RunAdvancer } from './runs/advance-run.ts';
import { createResealLoop } from './secrets/reseal-loop.ts';
import { sealedSecrets } from './secrets/reseal-secrets.ts';
import type { SecretKeys } from './secrets/secret-key.ts';
import type { Services } from './services.ts';
import { createFolderMovesLoop } from './volumes/move-folders.ts';

export interface Operations {
  readonly observer: Metrics['observer'];
  readonly handlers: Pick<Handlers<typeof routes, RequestContext>, 'doctor' | 'metrics'>;
  startLoops(): void;
}

export interface OperationSources {
  readonly loops: LoopDriver;
  /** Null where PostgreSQL is not ours to run. */
  readonly embeddedPid: (() => number | null) | null;
  /** Composed with the observer that is made here. */
  readonly advancer: () => RunAdvancer;
  readonly version: string;
}

const upkeep = [
  createAuditRetentionLoop,
  createDiscardLoop,
  createClusterRetentionLoop,
  createRunRetentionLoop,
  createRunPurgeLoop,
  createRunFilesLoop,
  createLibrariesLoop,
  createGitRetentionLoop,
  createFolderMovesLoop,
  createHandlesLoop,
  createDroppedTablesLoop,
  createAbandonedFoldersLoop,
  createPlacementLoop,
];

export function composeOperations(
  services: Services & { readonly secretKeys: SecretKeys },
  { loops, embeddedPid, advancer, version }: OperationSources,
): Operations {
  const { config, db, clock } = services;
  const metrics = createMetrics(services);
  const hotVersions = () => advancer().hotVersions();
  const doctor = createDoctor(services, {
    ...{ config, loops, embeddedPid, hotVersions },
    findKeyProblem: services.secretKeys.findProblem,
  });
  metrics.watch({ loops, lastFindings: doctor.lastFindings, listWorkers: () => listWorkers(db) });
  return {
    observer: metrics.observer,
    handlers: { ...doctor.handlers, ...metrics.handlers },
    startLoops() {
      for (const create of upkeep) loops.add(create(services));
      loops.add(createResealLoop({ ...services, places: [sealedSecrets, sealedCredentials] }));
      loops.add(doctor.loop);
      const { registry, refresh } = metrics;
      const { otlpUrl: url } = config;
      if (url !== null) loops.add(createOtlpLoop({ registry, refresh, url, version, clock }));
    },
  };
}
