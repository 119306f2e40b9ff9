// Takes a deployment away: its resources, then its folder with files, artifacts and state. Repeatable.

import type { Deployed } from '../plan/deployment-state.ts';
import { isAbsent } from '../plan/kinds/is-absent.ts';
import { kindOf, rankOf, splitResource } from '../plan/kinds/kinds.ts';
import type { ResolvedBundle } from '../resolve/resolve-bundle.ts';
import type { BundleClient } from './bundle-client.ts';

export interface Destroyed {
  readonly resources: readonly { readonly resource: string; readonly name: string; readonly id: string }[];
  readonly folders: readonly string[];
}

/** What `destroyBundle` deletes with all below it, the folder of the state last: while it stands, a second call knows what is left. */
export function foldersOf(bundle: ResolvedBundle): readonly string[] {
  const { rootPath, filePath, artifactPath, statePath } = bundle.workspace;
  const elsewhere = [filePath, artifactPath, statePath].filter(
    (folder) => folder !== rootPath && !folder.startsWith(`${rootPath}/`),
  );
  return [...new Set([...elsewhere.filter((folder) => folder !== statePath), rootPath, ...elsewhere])];
}

export async function destroyBundle(
  bundle: ResolvedBundle,
  deployed: Deployed,
  client: BundleClient,
): Promise<Destroyed> {
  const resources = Object.entries(deployed.state.resources).map(([resource, { id, name }]) => ({
    resource,
    id,
    name,
  }));
  // What refers to others goes before them.
  const known = resources.toReversed().flatMap(({ resource, id }) => {
    const split = splitResource(resource);
    return split === null ? [] : [{ kind: split.kind, id }];
  });
  for (const { kind, id } of known.sort((a, b) => rankOf(b.kind) - rankOf(a.kind)))
    await kindOf(kind).delete(id, client);
  const removed: string[] = [];
  for (const folder of foldersOf(bundle)) {
    if (await attempt(() => client.workspaceDelete({ path: folder, recursive: true }))) removed.push(folder);
  }
  return { resources, folders: removed };
}

/** false: it was not there. */
async function attempt(request: () => Promise<unknown>): Promise<boolean> {
  try {
    await request();
    return true;
  } catch (error) {
    if (isAbsent(error)) return false;
    throw error;
  }
}
