// What a deployment records of what it did.

import type { DeployedResource, DeploymentState } from './deployment-state.ts';
import type { PlannedAction } from './planned-action.ts';
import type { PreparedBundle } from './prepared-bundle.ts';
import { fillResourceIds, type ResourceIds } from './resource-ids.ts';

export function toRecord(action: PlannedAction, ids: ResourceIds, id: string): DeployedResource {
  const { name, document, adopted } = action;
  return {
    id,
    name,
    document: document === null ? null : { ...fillResourceIds(document, ids) },
    ...(adopted.length === 0 ? {} : { adopted: [...adopted] }),
  };
}

export function toArtifactRecords({ artifacts }: PreparedBundle): DeploymentState['artifacts'] {
  return Object.fromEntries(
    artifacts.map(({ name, sourceHash, files }) => [
      name,
      { source_hash: sourceHash, files: files.map(({ bytes: _, ...file }) => file) },
    ]),
  );
}
