// What a deployment leaves behind once a plan is applied.

import type { DeployedResource, DeploymentState } from './deployment-state.ts';
import type { Plan, PlannedAction } from './planned-action.ts';
import { type PreparedBundle, wantedLibraries } from './prepared-bundle.ts';
import { fillResourceIds, type ResourceIds } from './resource-ids.ts';

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

export function toRecord(action: PlannedAction, ids: ResourceIds, id: string): DeployedResource {
  const { name, document, adopted } = action;
  return {
    id,
    name,
    document: document === null ? null : { ...fillResourceIds(document, ids) },
    ...(adopted.length === 0 ? {} : { adopted: [...adopted] }),
  };
}

export function toFileRecords({ bundle, fileHashes }: PreparedBundle): DeploymentState['files'] {
  return Object.fromEntries(
    bundle.files.map(({ local, remotePath }) => [
      local.path,
      { hash: fileHashes.get(local.path) ?? '', remote_path: remotePath },
    ]),
  );
}

export function toArtifactRecords({ artifacts }: PreparedBundle): DeploymentState['artifacts'] {
  return Object.fromEntries(
    artifacts.map(({ name, sourceHash, files }) => [
      name,
      { source_hash: sourceHash, files: files.map(({ bytes: _, ...file }) => file) },
    ]),
  );
}
