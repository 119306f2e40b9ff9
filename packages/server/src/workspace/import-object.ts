/** Writes a file or notebook: its row and its bytes appear together, and of two writers one comes after the other. */
import { ApiError } from '@headrace/api';
import type { RequestContext } from '../context.ts';
import type { Querier } from '../db/connect.ts';
import type { Services } from '../services.ts';
import { importBytesMax } from './limits.ts';
import {
  type ImportPlan,
  planImport,
  type WorkspaceFormat,
  type WorkspaceLanguage,
} from './notebook-source.ts';
import { insertObject, isFolder, lockFolder, replaceObject } from './store.ts';
import { normalizePath, parentOf, toBlobKey } from './workspace-path.ts';

export interface ImportRequest {
  readonly path: string;
  readonly format: WorkspaceFormat;
  readonly language?: WorkspaceLanguage | undefined;
  readonly overwrite: boolean;
  /** Base64. */
  readonly content: string;
}

export async function importObject(
  { db, blobs, ids }: Services,
  request: ImportRequest,
  { principal, nowMs }: RequestContext,
): Promise<void> {
  const { format } = request;
  if (format !== 'SOURCE' && format !== 'AUTO' && format !== 'RAW' && format !== 'JUPYTER') {
    throw new ApiError(
      'NOT_IMPLEMENTED',
      `format: Headrace does not import ${format} yet, only AUTO, SOURCE, JUPYTER and RAW`,
    );
  }
  const content = decodeContent(request.content);
  const plan = planImport({ path: normalizePath(request.path), format, language: request.language, content });
  await db.transaction(async (client) => {
    await requireFolder(client, parentOf(plan.path));
    const row = {
      path: plan.path,
      parent: parentOf(plan.path),
      objectId: ids.newId(),
      objectType: plan.kind === 'notebook' ? ('NOTEBOOK' as const) : ('FILE' as const),
      language: plan.kind === 'notebook' ? plan.language : null,
      sizeBytes: plan.content.length,
      createdAtMs: nowMs,
      modifiedAtMs: nowMs,
      createdBy: principal.id,
    };
    const stored =
      (await insertObject(client, row)) || (request.overwrite && (await replaceObject(client, row)));
    if (!stored) throw alreadyThere(plan, request.overwrite);
    // The row is locked by now: whoever writes the same path waits, so bytes and row belong together.
    await blobs.put(toBlobKey(plan.path), plan.content);
  });
}

function decodeContent(content: string): Buffer {
  const compact = content.replaceAll(/\s/g, '');
  const bytes = Buffer.from(compact, 'base64');
  const expectedBytes = Math.floor((compact.replace(/=+$/, '').length * 3) / 4);
  if (bytes.length !== expectedBytes) throw new ApiError('INVALID_PARAMETER_VALUE', 'content: is not base64');
  if (bytes.length > importBytesMax) {
    throw new ApiError(
      'INVALID_PARAMETER_VALUE',
      `content: ${bytes.length} bytes are more than the limit of ${importBytesMax}`,
    );
  }
  return bytes;
}

async function requireFolder(client: Querier, path: string): Promise<void> {
  const parent = await lockFolder(client, path);
  if (!parent) {
    throw new ApiError('RESOURCE_DOES_NOT_EXIST', `The parent folder (${path}) does not exist.`);
  }
  if (!isFolder(parent)) {
    throw new ApiError(
      'INVALID_PARAMETER_VALUE',
      `path: ${path} is a ${parent.objectType.toLowerCase()}, not a folder`,
    );
  }
}

function alreadyThere({ path }: ImportPlan, overwrite: boolean): ApiError {
  return new ApiError(
    'RESOURCE_ALREADY_EXISTS',
    overwrite
      ? `Path (${path}) is a folder, which an import does not replace.`
      : `Path (${path}) already exists. Pass overwrite=true to replace it.`,
  );
}
