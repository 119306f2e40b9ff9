import type { Handlers, routes } from '@headrace/api';
import type { RequestContext } from '../context.ts';
import type { Services } from '../services.ts';
import { deletePath, movePath, putFile } from './change-dbfs.ts';
import { findDbfsPlace } from './dbfs-place.ts';
import { listFiles, readBlock, readStatus } from './read-dbfs.ts';
import { addBlock, closeHandle, createHandle } from './send-blocks.ts';

type DbfsHandlers = Pick<
  Handlers<typeof routes, RequestContext>,
  | 'dbfsPut'
  | 'dbfsGetStatus'
  | 'dbfsList'
  | 'dbfsMkdirs'
  | 'dbfsDelete'
  | 'dbfsMove'
  | 'dbfsRead'
  | 'dbfsCreate'
  | 'dbfsAddBlock'
  | 'dbfsClose'
>;

export function createDbfsHandlers(services: Services): DbfsHandlers {
  const find = (path: string) => findDbfsPlace(services, path);
  return {
    async dbfsPut({ path, ...file }) {
      await putFile(await find(path), file);
      return {};
    },
    dbfsGetStatus: async ({ path }) => readStatus(await find(path)),
    dbfsList: async ({ path }) => ({ files: await listFiles(await find(path)) }),
    async dbfsMkdirs({ path }) {
      const { tree, parts } = await find(path);
      await tree.makeFolder(parts);
      return {};
    },
    async dbfsDelete({ path, recursive }) {
      await deletePath(await find(path), { recursive });
      return {};
    },
    async dbfsMove({ source_path, destination_path }) {
      await movePath(await find(source_path), await find(destination_path));
      return {};
    },
    dbfsRead: async ({ path, ...range }) => readBlock(await find(path), range),
    dbfsCreate: async (request, context) => ({ handle: await createHandle(services, request, context) }),
    async dbfsAddBlock(request, context) {
      await addBlock(services, request, context);
      return {};
    },
    async dbfsClose(request, context) {
      await closeHandle(services, request, context);
      return {};
    },
  };
}
