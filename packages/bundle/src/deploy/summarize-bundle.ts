// What a bundle is called and where its parts are, for people.

import type { Deployed } from '../plan/deployment-state.ts';
import type { ResolvedBundle } from '../resolve/resolve-bundle.ts';

export interface BundleSummary {
  readonly name: string;
  readonly target: string;
  readonly mode: string | null;
  readonly host: string;
  readonly userName: string;
  readonly rootPath: string;
  readonly jobs: readonly {
    readonly key: string;
    readonly name: string;
    /** null: not deployed. */
    readonly id: number | null;
    readonly url: string | null;
  }[];
  readonly unsupported: readonly string[];
}

export function summarizeBundle(bundle: ResolvedBundle, deployed: Deployed): BundleSummary {
  const { workspace } = bundle;
  return {
    name: bundle.name,
    target: bundle.target,
    mode: bundle.mode,
    host: workspace.host,
    userName: workspace.userName,
    rootPath: workspace.rootPath,
    jobs: bundle.jobs.map((job) => {
      const recorded = deployed.state.resources[`jobs.${job.key}`];
      const id = recorded === undefined ? null : Number(recorded.id);
      return {
        key: job.key,
        name: String(job.settings.name ?? job.key),
        id,
        url: id === null ? null : `${workspace.host}/jobs/${id}`,
      };
    }),
    unsupported: bundle.unsupported.map(({ kind, key }) => `${kind}.${key}`),
  };
}
