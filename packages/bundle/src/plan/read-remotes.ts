// The recorded resources as they are on the server now.

import type { Deployed, DeploymentState } from './deployment-state.ts';
import type { KindClient } from './kinds/kind-definition.ts';
import { kindOf, splitResource } from './kinds/kinds.ts';
import type { Document } from './planned-action.ts';

/** Requests to the server at once: enough to hide its latency, few enough to leave it room for others. */
const REQUESTS_AT_ONCE_MAX = 8;

export async function readRemotes(
  state: Pick<DeploymentState, 'resources'>,
  client: KindClient,
): Promise<Deployed['remotes']> {
  const remotes = new Map<string, Document>();
  const pending = Object.entries(state.resources).values();
  const readers = Array.from({ length: REQUESTS_AT_ONCE_MAX }, async () => {
    for (const [resource, { id }] of pending) {
      const split = splitResource(resource);
      const remote = split === null ? null : await kindOf(split.kind).read(id, client);
      if (remote !== null) remotes.set(resource, remote);
    }
  });
  await Promise.all(readers);
  return remotes;
}
