// Reads what was deployed before: the recorded state, and the resources it names as they are on the server now.

import {
  type Deployed,
  type DeploymentState,
  emptyState,
  parseDeploymentState,
} from '../plan/deployment-state.ts';
import { isAbsent } from '../plan/kinds/is-absent.ts';
import { metadataPath } from '../plan/prepared-bundle.ts';
import { readRemotes } from '../plan/read-remotes.ts';
import type { ResolvedBundle } from '../resolve/resolve-bundle.ts';
import type { BundleClient } from './bundle-client.ts';
import { BundleError } from './bundle-error.ts';

export async function readDeployment(bundle: ResolvedBundle, client: BundleClient): Promise<Deployed> {
  const recorded = await readState(bundle, client);
  const state = recorded ?? emptyState(bundle);
  return { state, exists: recorded !== null, remotes: await readRemotes(state, client) };
}

async function readState(bundle: ResolvedBundle, client: BundleClient): Promise<DeploymentState | null> {
  const path = metadataPath(bundle);
  let content: string;
  try {
    ({ content } = await client.workspaceExport({ path, format: 'AUTO' }));
  } catch (error) {
    if (isAbsent(error)) return null;
    throw error;
  }
  try {
    return parseDeploymentState(JSON.parse(Buffer.from(content, 'base64').toString('utf8')));
  } catch (cause) {
    const message =
      'is not a deployment record this version understands; deploy with the version that wrote it, or delete the file to start anew';
    throw new BundleError([{ severity: 'error', message, file: path, line: 1, column: 1 }], { cause });
  }
}
