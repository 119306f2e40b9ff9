/** Reading the workspace: what stands at a path, its content, its children. */
import { ApiError, type RawBytes } from '@headrace/api';
import type { Services } from '../services.ts';
import { listedObjectsMax } from './limits.ts';
import { languageFacts } from './notebook-source.ts';
import { findObject, isFolder, listChildren, type ObjectRow } from './store.ts';
import { toWorkspaceObject } from './wire.ts';
import { normalizePath, toBlobKey } from './workspace-path.ts';

export async function requireObject({ db }: Services, path: string): Promise<ObjectRow> {
  const normalized = normalizePath(path);
  const object = await findObject(db, normalized);
  if (!object) throw new ApiError('RESOURCE_DOES_NOT_EXIST', `Path (${normalized}) doesn't exist.`);
  return object;
}

export async function exportObject(
  services: Services,
  request: { path: string; format: string; direct_download: boolean },
): Promise<{ content: string; file_type?: string } | RawBytes> {
  const object = await requireObject(services, request.path);
  if (isFolder(object)) {
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
export async function listObjects(
  services: Services,
  request: { path: string; notebooks_modified_after?: number | undefined },
): Promise<{ objects: ReturnType<typeof toWorkspaceObject>[] }> {
  const object = await requireObject(services, request.path);
  const rows = isFolder(object)
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
