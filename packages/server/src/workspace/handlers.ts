import { ApiError, type Handlers, type RawBytes, type routes } from '@headrace/api';
import type { RequestContext } from '../context.ts';
import type { Services } from '../services.ts';
import { deleteObject } from './delete-object.ts';
import { importObject } from './import-object.ts';
import { listedObjectsMax } from './limits.ts';
import { makeFolders } from './make-folders.ts';
import { languageFacts } from './notebook-source.ts';
import { findObject, listChildren, type ObjectRow } from './store.ts';
import { toWorkspaceObject } from './wire.ts';
import { normalizePath, toBlobKey } from './workspace-path.ts';

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

async function requireObject({ db }: Services, path: string): Promise<ObjectRow> {
  const normalized = normalizePath(path);
  const object = await findObject(db, normalized);
  if (!object) throw new ApiError('RESOURCE_DOES_NOT_EXIST', `Path (${normalized}) doesn't exist.`);
  return object;
}

async function exportObject(
  services: Services,
  request: { path: string; format: string; direct_download: boolean },
): Promise<{ content: string; file_type?: string } | RawBytes> {
  const object = await requireObject(services, request.path);
  if (object.objectType === 'DIRECTORY') {
    throw new ApiError(
      'INVALID_PARAMETER_VALUE',
      `path: ${object.path} is a folder; export its files one by one`,
    );
  }
  if (!['SOURCE', 'AUTO', 'RAW'].includes(request.format)) {
    throw new ApiError(
      'NOT_IMPLEMENTED',
      `format: Headrace does not export ${request.format} yet, only SOURCE and AUTO`,
    );
  }
  const bytes = await services.blobs.get(toBlobKey(object.path));
  if (!bytes)
    throw new ApiError(
      'RESOURCE_DOES_NOT_EXIST',
      `Path (${object.path}) has no content: it was removed from the data folder.`,
    );
  if (request.direct_download) return { contentType: 'application/octet-stream', bytes };
  return { content: bytes.toString('base64'), file_type: fileTypeOf(object) };
}

function fileTypeOf({ language, path }: ObjectRow): string {
  if (language) return languageFacts[language].extension.slice(1);
  return /\.([A-Za-z0-9]{1,16})$/.exec(path)?.[1] ?? 'file';
}

/** A file lists as itself. */
async function listObjects(
  services: Services,
  request: { path: string; notebooks_modified_after?: number | undefined },
): Promise<{ objects: ReturnType<typeof toWorkspaceObject>[] }> {
  const object = await requireObject(services, request.path);
  const rows =
    object.objectType === 'DIRECTORY'
      ? await listChildren(services.db, object.path, listedObjectsMax + 1)
      : [object];
  if (rows.length > listedObjectsMax) {
    throw new ApiError(
      'INVALID_STATE',
      `Folder (${object.path}) has more than ${listedObjectsMax} children, too many for one answer`,
    );
  }
  const after = request.notebooks_modified_after;
  const wanted = rows.filter(
    (row) => after === undefined || row.objectType !== 'NOTEBOOK' || row.modifiedAtMs > after,
  );
  return { objects: wanted.map(toWorkspaceObject) };
}
