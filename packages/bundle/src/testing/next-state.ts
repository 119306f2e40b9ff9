// The state after a plan, for tests that make a deployment without a server's commit.

import type { DeployedResource, DeploymentState } from '../plan/deployment-state.ts';
import type { Plan } from '../plan/planned-action.ts';
import { type PreparedBundle, wantedLibraries } from '../plan/prepared-bundle.ts';
import type { ResourceIds } from '../plan/resource-ids.ts';
import { toArtifactRecords, toRecord } from '../plan/to-record.ts';

/** @param ids of all resources that the plan leaves, those it makes too */
export function nextState({ prepared, state, actions }: Plan, ids: ResourceIds): DeploymentState {
  const applied = new Map(actions.map((action) => [action.resource, action]));
  // What this version does not know stays recorded; the rest is in the order of making.
  const unknown = Object.entries(state.resources).filter(([resource]) => !applied.has(resource));
  const resources = actions.flatMap((action): [string, DeployedResource][] => {
    const id = ids.get(action.resource);
    return action.action === 'delete' || id === undefined
      ? []
      : [[action.resource, toRecord(action, ids, id)]];
  });
  return {
    ...state,
    serial: state.serial + 1,
    resources: Object.fromEntries([...unknown, ...resources]),
    files: toFileRecords(prepared),
    artifacts: toArtifactRecords(prepared),
    uploads: wantedLibraries(prepared).map((library) => library.remote_path),
    creating: [],
  };
}

function toFileRecords({ bundle, fileHashes }: PreparedBundle): DeploymentState['files'] {
  return Object.fromEntries(
    bundle.files.map(({ local, remotePath }) => [
      local.path,
      { hash: fileHashes.get(local.path) ?? '', remote_path: remotePath },
    ]),
  );
}
