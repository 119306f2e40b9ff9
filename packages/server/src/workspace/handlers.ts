import type { Handlers, routes } from '@headrace/api';
import type { RequestContext } from '../context.ts';
import type { Services } from '../services.ts';
import { deleteObject } from './delete-object.ts';
import { importObject } from './import-object.ts';
import { makeFolders } from './make-folders.ts';
import { exportObject, listObjects, requireObject } from './read-objects.ts';
import { toWorkspaceObject } from './wire.ts';

type WorkspaceHandlers = Pick<
  Handlers<typeof routes, RequestContext>,
  | 'workspaceImport'
  | 'workspaceExport'
  | 'workspaceList'
  | 'workspaceGetStatus'
  | 'workspaceMkdirs'
  | 'workspaceDelete'
>;

export function createWorkspaceHandlers(services: Services): WorkspaceHandlers {
  return {
    async workspaceImport(request, context) {
      await importObject(services, request, context);
      return {};
    },
    workspaceExport: (request) => exportObject(services, request),
    workspaceList: (request) => listObjects(services, request),
    async workspaceGetStatus({ path }) {
      return toWorkspaceObject(await requireObject(services, path));
    },
    async workspaceMkdirs({ path }, { principal, nowMs }) {
      await makeFolders(services, { path, createdBy: principal.id, nowMs });
      return {};
    },
    async workspaceDelete({ path, recursive }, { nowMs }) {
      await deleteObject(services, { path, recursive, nowMs });
      return {};
    },
  };
}
