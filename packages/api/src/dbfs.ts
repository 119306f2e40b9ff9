/** Files of `dbfs:/`, and through it of volumes, in blocks of at most a mebibyte. */
import { z } from 'zod';
import { route } from './route.ts';
import { pathCharsMax } from './tasks.ts';
import { epochMs, Nothing, wireBool, wireInt, wireIntBetween } from './wire.ts';

export const dbfsBlockBytesMax = 1024 ** 2;
/** Base64 takes four characters for three bytes, and people break its lines. */
const blockCharsMax = 2 * dbfsBlockBytesMax;

/** `/a/b` or `dbfs:/a/b`. */
const dbfsPath = z
  .string()
  .max(pathCharsMax)
  .regex(/^(dbfs:)?\//, 'is not an absolute path like /a/b or dbfs:/a/b');
const base64 = z.string().max(blockCharsMax);
const handle = wireIntBetween({ min: 1 });

export const DbfsFile = z.looseObject({
  path: z.string(),
  is_dir: z.boolean(),
  file_size: z.int(),
  modification_time: epochMs,
});
export type DbfsFile = z.output<typeof DbfsFile>;

const at = (verb: string) => `/api/2.0/dbfs/${verb}`;

const dbfsPut = route({
  method: 'POST',
  path: at('put'),
  summary: 'Writes a file of at most a mebibyte. As JSON with base64 contents, or as a form with a file.',
  request: z.object({
    path: dbfsPath,
    contents: base64.default(''),
    overwrite: wireBool.default(false),
  }),
  response: Nothing,
  multipart: true,
  permission: 'user',
  audit: 'dbfs.put',
});

const dbfsGetStatus = route({
  method: 'GET',
  path: at('get-status'),
  summary: 'Says what stands at a path.',
  request: z.object({ path: dbfsPath }),
  response: DbfsFile,
  permission: 'user',
  audit: 'dbfs.get-status',
});

const dbfsList = route({
  method: 'GET',
  path: at('list'),
  summary: 'Lists a folder, or one file.',
  request: z.object({ path: dbfsPath }),
  response: z.looseObject({ files: z.array(DbfsFile).optional() }),
  permission: 'user',
  audit: 'dbfs.list',
});

const dbfsMkdirs = route({
  method: 'POST',
  path: at('mkdirs'),
  summary: 'Makes a folder and those above it; one that is there is no error.',
  request: z.object({ path: dbfsPath }),
  response: Nothing,
  permission: 'user',
  audit: 'dbfs.mkdirs',
});

const dbfsDelete = route({
  method: 'POST',
  path: at('delete'),
  summary: 'Deletes a file or an empty folder, or with recursive a folder with all in it.',
  request: z.object({ path: dbfsPath, recursive: wireBool.default(false) }),
  response: Nothing,
  permission: 'user',
  audit: 'dbfs.delete',
});

const dbfsMove = route({
  method: 'POST',
  path: at('move'),
  summary: 'Moves a file or folder to a path where nothing is.',
  request: z.object({ source_path: dbfsPath, destination_path: dbfsPath }),
  response: Nothing,
  permission: 'user',
  audit: 'dbfs.move',
});

const dbfsRead = route({
  method: 'GET',
  path: at('read'),
  summary: 'Reads at most a mebibyte of a file, in base64.',
  request: z.object({
    path: dbfsPath,
    offset: wireIntBetween({ min: 0 }).default(0),
    length: wireIntBetween({ min: 0 }).default(dbfsBlockBytesMax / 2),
  }),
  response: z.looseObject({ bytes_read: z.int(), data: z.string() }),
  permission: 'user',
  audit: 'dbfs.read',
});

const dbfsCreate = route({
  method: 'POST',
  path: at('create'),
  summary: 'Begins a file that is sent in blocks; it is there when it is closed.',
  request: z.object({ path: dbfsPath, overwrite: wireBool.default(false) }),
  response: z.looseObject({ handle: wireInt }),
  permission: 'user',
  audit: 'dbfs.create',
});

const dbfsAddBlock = route({
  method: 'POST',
  path: at('add-block'),
  summary: 'Adds a block of at most a mebibyte, in base64.',
  request: z.object({ handle, data: base64 }),
  response: Nothing,
  permission: 'user',
  audit: 'dbfs.add-block',
});

const dbfsClose = route({
  method: 'POST',
  path: at('close'),
  summary: 'Gives a file that was sent in blocks its place.',
  request: z.object({ handle }),
  response: Nothing,
  permission: 'user',
  audit: 'dbfs.close',
});

export const dbfsRoutes = {
  dbfsPut,
  dbfsGetStatus,
  dbfsList,
  dbfsMkdirs,
  dbfsDelete,
  dbfsMove,
  dbfsRead,
  dbfsCreate,
  dbfsAddBlock,
  dbfsClose,
};
