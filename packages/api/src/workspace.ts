/** Files and notebooks of the workspace. */
import { z } from 'zod';
import { route } from './route.ts';
import { pathCharsMax } from './tasks.ts';
import { epochMs, Nothing, wireBool, wireInt } from './wire.ts';

export const workspaceFormats = ['SOURCE', 'AUTO', 'RAW', 'HTML', 'JUPYTER', 'DBC', 'R_MARKDOWN'] as const;
export const workspaceLanguages = ['PYTHON', 'SQL', 'SCALA', 'R'] as const;
export const workspaceObjectTypes = [
  'NOTEBOOK',
  'FILE',
  'DIRECTORY',
  'LIBRARY',
  'REPO',
  'DASHBOARD',
] as const;

const workspacePath = z.string().min(1).max(pathCharsMax).startsWith('/');

export const WorkspaceObject = z.looseObject({
  path: z.string(),
  object_type: z.enum(workspaceObjectTypes),
  object_id: z.int(),
  resource_id: z.string().optional(),
  /** Of notebooks. */
  language: z.enum(workspaceLanguages).optional(),
  /** Of files, in bytes. */
  size: z.int().optional(),
  created_at: epochMs.optional(),
  modified_at: epochMs.optional(),
});
export type WorkspaceObject = z.output<typeof WorkspaceObject>;

export const workspaceImport = route({
  method: 'POST',
  path: '/api/2.0/workspace/import',
  summary: 'Writes a file or notebook. As JSON with base64 content, or as a form with a file.',
  request: z.object({
    path: workspacePath,
    format: z.enum(workspaceFormats).default('SOURCE'),
    language: z.enum(workspaceLanguages).optional(),
    overwrite: wireBool.default(false),
    content: z.string().default(''),
  }),
  response: Nothing,
  multipart: true,
  permission: 'user',
  audit: 'workspace.import',
});

export const workspaceExport = route({
  method: 'GET',
  path: '/api/2.0/workspace/export',
  summary: 'Reads a file or notebook: as JSON with base64 content, or its bytes with direct_download.',
  request: z.object({
    path: workspacePath,
    format: z.enum(workspaceFormats).default('SOURCE'),
    direct_download: wireBool.default(false),
  }),
  response: z.looseObject({ content: z.string(), file_type: z.string().optional() }),
  kind: 'bytes',
  permission: 'user',
  audit: 'workspace.export',
});

export const workspaceList = route({
  method: 'GET',
  path: '/api/2.0/workspace/list',
  summary: 'Lists a folder.',
  request: z.object({ path: workspacePath, notebooks_modified_after: wireInt.optional() }),
  response: z.looseObject({ objects: z.array(WorkspaceObject).optional() }),
  permission: 'user',
  audit: 'workspace.list',
});

export const workspaceGetStatus = route({
  method: 'GET',
  path: '/api/2.0/workspace/get-status',
  summary: 'Says what stands at a path.',
  request: z.object({ path: workspacePath }),
  response: WorkspaceObject,
  permission: 'user',
  audit: 'workspace.get-status',
});

export const workspaceMkdirs = route({
  method: 'POST',
  path: '/api/2.0/workspace/mkdirs',
  summary: 'Makes a folder and those above it.',
  request: z.object({ path: workspacePath }),
  response: Nothing,
  permission: 'user',
  audit: 'workspace.mkdirs',
});

export const workspaceDelete = route({
  method: 'POST',
  path: '/api/2.0/workspace/delete',
  summary: 'Deletes a file, a notebook or a folder.',
  request: z.object({ path: workspacePath, recursive: wireBool.default(false) }),
  response: Nothing,
  permission: 'user',
  audit: 'workspace.delete',
});
