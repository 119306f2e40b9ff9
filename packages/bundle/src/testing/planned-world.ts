// A server that keeps what it is sent, for tests of plans: no requests, only documents.

import { type PrepareOptions, prepareBundle } from '../artifacts/prepare-bundle.ts';
import { type DeploymentState, emptyState } from '../plan/deployment-state.ts';
import { idsOf, type PlanOptions, planBundle } from '../plan/plan-bundle.ts';
import type { Plan } from '../plan/planned-action.ts';
import { aBundleFolder, type BundleFolder, NOTEBOOK, resolve } from './bundle-folder.ts';
import { nextState } from './next-state.ts';

export interface PlannedWorld {
  state: DeploymentState | null;
  /** By `jobs.daily`: change them to change the server by hand. */
  readonly remotes: Map<string, Record<string, unknown>>;
  plan(yaml: string, options?: PlanOptions): Promise<Plan>;
  planFolder(
    folder: Pick<BundleFolder, 'folder'>,
    options?: PlanOptions & Partial<PrepareOptions>,
  ): Promise<Plan>;
  /** Does what the plan says. */
  apply(plan: Plan): void;
}

export function aPlannedWorld(): PlannedWorld {
  let nextId = 100;
  const world: PlannedWorld = {
    state: null,
    remotes: new Map(),
    plan: async (yaml, options) => {
      await using folder = await aBundleFolder({ 'databricks.yml': yaml, 'load.py': NOTEBOOK });
      return await world.planFolder(folder, options);
    },
    planFolder: async (folder, options = {}) => {
      const { bundle } = await resolve(folder);
      const state = world.state ?? emptyState(bundle);
      const prepared = await prepareBundle(bundle, state, { python: 'python3', ...options });
      const remotes = structuredClone(world.remotes);
      return planBundle(prepared, { state, exists: world.state !== null, remotes }, options);
    },
    apply: (plan) => {
      const ids = new Map(idsOf(plan.state));
      for (const { action, resource } of plan.actions) {
        if (action === 'delete') ids.delete(resource);
        if (action === 'create' || action === 'recreate') ids.set(resource, String(nextId++));
      }
      // As it comes back from a store.
      const state = JSON.parse(JSON.stringify(nextState(plan, ids))) as DeploymentState;
      for (const { action, resource } of plan.actions) {
        const document = state.resources[resource]?.document;
        if (action === 'delete') world.remotes.delete(resource);
        else if (action !== 'unchanged' && document) world.remotes.set(resource, structuredClone(document));
      }
      world.state = state;
    },
  };
  return world;
}
