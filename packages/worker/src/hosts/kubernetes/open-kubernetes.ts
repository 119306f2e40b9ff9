/** The backend of a real cluster: its address, and who we are there, from the service account or from KUBECONFIG. */
import path from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import type { HostBackend } from '../host-backend.ts';
import type { HostRuntime } from '../local/local-backend.ts';
import { createKubernetesBackend } from './kubernetes-backend.ts';
import { createPodApi } from './pod-api.ts';
import { selectorOf } from './pod-manifest.ts';

export interface KubernetesSettings {
  readonly image: string;
  /** Null: the one that this process runs in. */
  readonly namespace: string | null;
  readonly claim: string;
  readonly serviceAccount: string;
  readonly hostsService: string;
  /** The StatefulSet whose end is that of all hosts; null: none. */
  readonly owner: string | null;
  readonly lifetimeSecondsMax: number | null;
}

export interface OpenKubernetesOptions {
  readonly settings: KubernetesSettings;
  /** Where the claim is mounted here. */
  readonly stateFolder: string;
  readonly dataRoot: string;
  readonly workerId: string;
  readonly user: { readonly userId: number; readonly groupId: number };
  readonly runtime: HostRuntime;
  readonly pythonPath: string;
  readonly preimport: readonly string[];
  readonly warn: (message: string, error?: unknown) => void;
}

export async function openKubernetesBackend(options: OpenKubernetesOptions): Promise<HostBackend> {
  const { settings, stateFolder, dataRoot, workerId, user, runtime } = options;
  const config = new KubeConfig();
  config.loadFromDefault();
  const context = config.getContextObject(config.getCurrentContext());
  const namespace = settings.namespace ?? context?.namespace ?? 'default';
  const api = createPodApi(config, { namespace, selector: selectorOf(workerId) });
  return createKubernetesBackend({
    ...{ api, dataRoot, workerId, runtime, warmUp: true },
    ...{ pythonPath: options.pythonPath, preimport: options.preimport, warn: options.warn },
    podsFolder: path.join(stateFolder, 'pods'),
    place: {
      ...{ namespace, image: settings.image, serviceAccount: settings.serviceAccount },
      ...{ subdomain: settings.hostsService, lifetimeSecondsMax: settings.lifetimeSecondsMax, ...user },
      claim: { name: settings.claim, root: stateFolder },
      owner: settings.owner === null ? null : await api.readOwner(settings.owner),
    },
  });
}
