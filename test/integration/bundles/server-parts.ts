/** The parts of a server that commit versions, called without HTTP: tests wrap what they let fail or wait. */
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { routes } from '@headrace/api';
import { pino } from 'pino';
import { openFolderStore } from '../../../packages/server/src/blobs/folder-store.ts';
import { putContents } from '../../../packages/server/src/bundles/contents.ts';
import { takeLock } from '../../../packages/server/src/bundles/locks.ts';
import { readConfig } from '../../../packages/server/src/config.ts';
import type { RequestContext } from '../../../packages/server/src/context.ts';
import { createIdSource } from '../../../packages/server/src/ids.ts';
import type { RunServices } from '../../../packages/server/src/runs/create-run.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { base64, type Files, root, sha256 } from './deployment.ts';

const admin = { id: 1, userName: 'admin', isAdmin: true };

export interface ServerParts {
  readonly database: TestDatabase;
  /** The store's. */
  readonly folder: string;
  readonly services: RunServices;
  dispose(): Promise<void>;
}

export async function startServerParts(): Promise<ServerParts> {
  const database = await createTestDatabase();
  const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'headrace-commit-'));
  let nowMs = 1_000;
  const services: RunServices = {
    ...{ db: database, blobs: await openFolderStore(folder), ids: await createIdSource(database) },
    ...{ clock: { nowMs: () => ++nowMs }, log: pino({ level: 'silent' }), config: readConfig({}) },
    // No job here has runs.
    ...{ events: null as never, advancer: null as never },
  };
  const dispose = async () => {
    await database.drop();
    await fs.rm(folder, { recursive: true, force: true });
  };
  return { database, folder, services, dispose };
}

export function aRequest({ clock }: RunServices): RequestContext {
  return {
    ...{ principal: admin, requestId: 'r', sourceIp: '::1', userAgent: null, nowMs: clock.nowMs() },
    ...({} as Omit<RequestContext, 'principal' | 'requestId' | 'sourceIp' | 'userAgent' | 'nowMs'>),
  };
}

export const place = { state_path: `${root}/state`, target: 'dev' };

export async function holdLock(services: RunServices, more: object = {}) {
  const asked = routes.bundlesLock.request.parse({
    ...{ ...place, bundle: 'shop', force: true, request_id: `lock-${services.ids.newId()}`, ...more },
  });
  const { deployment_id, fence, current_version } = await takeLock(services, asked, aRequest(services));
  return { deployment_id, fence, expected_version: current_version };
}

export function toCommit(under: object, requestId: string, files: Files, jobs: object = { resources: [] }) {
  return routes.bundlesCommit.request.parse({
    ...{ ...under, ...jobs, request_id: requestId },
    files: Object.entries(files).map(([name, text]) => ({
      path: `${root}/files/${name}`,
      hash: sha256(text),
    })),
  });
}

export async function bring(
  services: RunServices,
  under: { readonly deployment_id: number; readonly fence: number },
  files: Files,
): Promise<void> {
  const contents = Object.values(files).map((text) => ({ hash: sha256(text), content: base64(text) }));
  await putContents(services, { ...under, contents }, admin);
}
