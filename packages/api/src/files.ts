/** Files below /Volumes, as bytes. */
import { z } from 'zod';
import { route } from './route.ts';
import { pathCharsMax } from './tasks.ts';
import { epochMs, Nothing, wireBool, wireIntBetween } from './wire.ts';

/** Larger pages are cut to this. */
export const directoryPageMax = 1_000;

/** With or without its first slash: it follows one in the address. */
const filePath = z.string().min(1).max(pathCharsMax);

export const DirectoryEntry = z.looseObject({
  path: z.string(),
  name: z.string(),
  is_directory: z.boolean(),
  file_size: z.int().optional(),
  last_modified: epochMs.optional(),
});
export type DirectoryEntry = z.output<typeof DirectoryEntry>;

const filesPath = '/api/2.0/fs/files/{path+}';
const directoriesPath = '/api/2.0/fs/directories/{path+}';
const file = z.object({ path: filePath });

export const filesUpload = route({
  method: 'PUT',
  path: filesPath,
  summary:
    'Writes a file of a volume: the body is its content. Readers see the old one or the new one, whole.',
  request: z.object({ path: filePath, overwrite: wireBool.default(false) }),
  response: Nothing,
  kind: 'stream',
  permission: 'user',
  audit: 'files.upload',
});

export const filesInitiateUpload = route({
  method: 'POST',
  path: filesPath,
  summary:
    'Says whether a large file may be written. It is then sent whole: addresses for its parts are not given.',
  request: z.object({ path: filePath, action: z.string().max(100), overwrite: wireBool.default(false) }),
  response: z.looseObject({ multipart_upload: z.looseObject({ session_token: z.string() }) }),
  permission: 'user',
  audit: 'files.initiate-upload',
});

export const filesDownload = route({
  method: 'GET',
  path: filesPath,
  summary: 'Reads a file of a volume, or with the header Range a part of it.',
  request: file,
  response: Nothing,
  kind: 'stream',
  permission: 'user',
  audit: 'files.download',
});

export const filesGetMetadata = route({
  method: 'HEAD',
  path: filesPath,
  summary: 'Says in headers how large a file is and when it was changed.',
  request: file,
  response: Nothing,
  kind: 'stream',
  permission: 'user',
  audit: 'files.get-metadata',
});

export const filesDelete = route({
  method: 'DELETE',
  path: filesPath,
  summary: 'Deletes a file.',
  request: file,
  response: Nothing,
  kind: 'stream',
  permission: 'user',
  audit: 'files.delete',
});

export const directoriesCreate = route({
  method: 'PUT',
  path: directoriesPath,
  summary: 'Makes a folder and those above it; one that is there is no error.',
  request: file,
  response: Nothing,
  kind: 'stream',
  permission: 'user',
  audit: 'directories.create',
});

export const directoriesGetMetadata = route({
  method: 'HEAD',
  path: directoriesPath,
  summary: 'Says whether a folder is there.',
  request: file,
  response: Nothing,
  kind: 'stream',
  permission: 'user',
  audit: 'directories.get-metadata',
});

export const directoriesDelete = route({
  method: 'DELETE',
  path: directoriesPath,
  summary: 'Deletes an empty folder.',
  request: file,
  response: Nothing,
  kind: 'stream',
  permission: 'user',
  audit: 'directories.delete',
});

export const directoriesList = route({
  method: 'GET',
  path: directoriesPath,
  summary: 'Lists a folder of a volume.',
  request: z.object({
    path: filePath,
    page_size: wireIntBetween({ min: 0 }).default(0),
    page_token: z.string().default(''),
  }),
  response: z.looseObject({
    contents: z.array(DirectoryEntry).optional(),
    next_page_token: z.string().optional(),
  }),
  permission: 'user',
  audit: 'directories.list',
});
