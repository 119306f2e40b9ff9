import { ApiError, type Handlers, type routes, type StreamedReply } from '@headrace/api';
import { assert } from '../assert.ts';
import type { RawRequest, RequestContext } from '../context.ts';
import type { Services } from '../services.ts';
import { findPlace, type Place } from './find-place.ts';
import { listFolder } from './list-folder.ts';
import { describeFile, readFile } from './read-file.ts';

type FileHandlers = Pick<
  Handlers<typeof routes, RequestContext>,
  | 'filesUpload'
  | 'filesInitiateUpload'
  | 'filesDownload'
  | 'filesGetMetadata'
  | 'filesDelete'
  | 'directoriesCreate'
  | 'directoriesGetMetadata'
  | 'directoriesDelete'
  | 'directoriesList'
>;

const done: StreamedReply = { status: 204, headers: {}, body: null };

export function createFileHandlers(services: Services): FileHandlers {
  const find = (path: string) => findPlace(services, path);
  return {
    async filesUpload({ path, overwrite }, context) {
      await upload(await find(path), { ...rawOf(context), overwrite, signal: context.signal });
      return done;
    },
    /**
     * Clients begin files beyond some 50 MB so, and end with an error when it is refused. Answered, they ask for
     * addresses of parts, and upon the 501 that this gets they send the file whole. Source: databricks-sdk 0.162.0
     * (Apache-2.0), the uploads of its files mixin.
     */
    async filesInitiateUpload({ path, action, overwrite }) {
      if (action !== 'initiate-upload')
        throw new ApiError('NOT_IMPLEMENTED', `Headrace does not answer the action ${action} of files yet`);
      await requireWritable(await find(path), { overwrite });
      return { multipart_upload: { session_token: 'sent-whole' } };
    },
    filesDownload: async ({ path }, context) => readFile(await find(path), rawOf(context)),
    async filesGetMetadata({ path }) {
      const { tree, parts, shown } = await find(path);
      const entry = await tree.stat(parts);
      if (entry?.kind !== 'file') throw missing('file', shown);
      return { status: 200, headers: describeFile(entry), body: null };
    },
    async filesDelete({ path }) {
      const { tree, parts } = await find(path);
      await tree.removeFile(parts);
      return done;
    },
    async directoriesCreate({ path }) {
      const { tree, parts } = await find(path);
      await tree.makeFolder(parts);
      return done;
    },
    async directoriesGetMetadata({ path }) {
      const { tree, parts, shown } = await find(path);
      if ((await tree.stat(parts))?.kind !== 'folder') throw missing('folder', shown);
      return { status: 200, headers: {}, body: null };
    },
    async directoriesDelete({ path }) {
      const { tree, parts, shown } = await find(path);
      if (parts.length === 0)
        throw new ApiError(
          'INVALID_PARAMETER_VALUE',
          `path: ${shown} is a volume; volumes/delete removes it`,
        );
      if (await tree.removeFolder(parts, { recursive: false })) return done;
      throw new ApiError('INVALID_STATE', `path: folder ${shown} is not empty`);
    },
    directoriesList: async ({ path, ...page }) => listFolder(await find(path), page),
  };
}

async function requireWritable(
  { tree, parts, shown }: Place,
  { overwrite }: { overwrite: boolean },
): Promise<void> {
  const before = await tree.stat(parts);
  if (parts.length === 0 || before?.kind === 'folder') throw taken(`${shown} is a folder, not a file`);
  if (before && !overwrite) throw taken(`${shown} exists already; overwrite=true replaces it`);
}

async function upload(
  place: Place,
  { body, overwrite, signal }: RawRequest & { overwrite: boolean; signal: AbortSignal },
): Promise<void> {
  const { tree, parts, shown } = place;
  // Told before the content is read; who is first of two at once, the last step decides.
  await requireWritable(place, { overwrite });
  await tree.write(parts, body, { overwrite }).catch((error) => {
    if (signal.aborted || body.errored)
      throw new ApiError('MALFORMED_REQUEST', `the content of ${shown} broke off; nothing was written`);
    throw error;
  });
}

function rawOf({ raw }: RequestContext): RawRequest {
  assert(raw !== undefined, 'routes of the kind stream have a raw request');
  return raw;
}

const taken = (text: string) => new ApiError('RESOURCE_ALREADY_EXISTS', `path: ${text}`);
const missing = (kind: string, shown: string) =>
  new ApiError('RESOURCE_DOES_NOT_EXIST', `path: there is no ${kind} ${shown}`);
