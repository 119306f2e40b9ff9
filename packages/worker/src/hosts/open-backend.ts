/** The backend that a setting names. Servers and workers on their own open theirs here. */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { createFakeBackend } from './fake/fake-backend.ts';
import type { HostBackend } from './host-backend.ts';
import type { OpenKubernetesOptions } from './kubernetes/open-kubernetes.ts';
import {
  createLocalBackend,
  type HostRuntime,
  type LocalBackendOptions,
  preimportDefault,
} from './local/local-backend.ts';
import { createSparkStandaloneBackend } from './spark-standalone/spark-standalone-backend.ts';

const repository = fileURLToPath(new URL('../../../../', import.meta.url));

export interface BackendOptions {
  readonly clock: { nowMs(): number };
  readonly hostsFolder: string;
  readonly dataRoot: string;
  readonly workerId: string;
  readonly externalLocations: readonly string[];
  /** Of `spark-standalone`. */
  readonly sparkMaster: string | null;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Asked only by those that start processes. */
  readonly readRuntime: () => HostRuntime;
}

const backends = {
  local: (options) => createLocalBackend(toLocalOptions(options)),
  'spark-standalone': (options) =>
    createSparkStandaloneBackend({ ...toLocalOptions(options), master: requireMaster(options) }),
  fake: ({ clock }) => createFakeBackend({ clock }),
} as const satisfies Record<string, (options: BackendOptions) => HostBackend>;

export type BackendName = keyof typeof backends;
/** The keys of the table, which TypeScript knows only as strings. */
export const backendNames = Object.keys(backends) as [BackendName, ...BackendName[]];

export function openBackend(name: BackendName, options: BackendOptions): HostBackend {
  return backends[name](options);
}

/** Of a server only: a worker elsewhere has a guard that ends what runs on its machine, and Pods are not there. */
export async function openKubernetes(
  options: Omit<OpenKubernetesOptions, 'pythonPath' | 'preimport'>,
): Promise<HostBackend> {
  // The client takes 0.7 s and 70 MB to load.
  const { openKubernetesBackend } = await import('./kubernetes/open-kubernetes.ts');
  const pythonPath = path.join(repository, 'python');
  return openKubernetesBackend({ ...options, pythonPath, preimport: preimportDefault });
}

/** The settings were checked before. */
function requireMaster({ sparkMaster }: BackendOptions): string {
  if (sparkMaster === null) throw new Error('spark-standalone needs a master');
  return sparkMaster;
}

function toLocalOptions({
  hostsFolder,
  dataRoot,
  workerId,
  externalLocations,
  environment,
  readRuntime,
}: BackendOptions): LocalBackendOptions {
  return {
    ...{ hostsFolder, dataRoot, workerId, externalLocations, environment },
    preimport: preimportDefault,
    runtime: readRuntime(),
    pythonPath: path.join(repository, 'python'),
    warmUp: true,
  };
}
