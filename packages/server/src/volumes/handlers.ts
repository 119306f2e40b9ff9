import type { Handlers, routes } from '@headrace/api';
import type { Stamp } from '../catalogs/rows.ts';
import type { RequestContext } from '../context.ts';
import type { Services } from '../services.ts';
import { changeVolume, dropVolume, listVolumePage, requireVolume } from './change-volumes.ts';
import { createVolume } from './create-volume.ts';
import { parseVolumeName } from './volume-names.ts';
import { toVolumeInfo } from './wire.ts';

type VolumeHandlers = Pick<
  Handlers<typeof routes, RequestContext>,
  'volumesCreate' | 'volumesGet' | 'volumesList' | 'volumesUpdate' | 'volumesDelete'
>;

const stampOf = ({ principal, nowMs }: RequestContext): Stamp => ({ by: principal.userName, atMs: nowMs });

export function createVolumeHandlers(services: Services): VolumeHandlers {
  const { db, blobs } = services;
  return {
    volumesCreate: async (request, context) =>
      toVolumeInfo(await createVolume(services, request, stampOf(context)), blobs),
    volumesGet: async ({ name }) => toVolumeInfo(await requireVolume(db, parseVolumeName(name)), blobs),
    async volumesList(request) {
      const { rows, next } = await listVolumePage(db, request);
      return { volumes: rows.map((row) => toVolumeInfo(row, blobs)), ...next };
    },
    volumesUpdate: async (request, context) =>
      toVolumeInfo(await changeVolume(services, request, stampOf(context)), blobs),
    async volumesDelete({ name }, { nowMs }) {
      await dropVolume(services, parseVolumeName(name), nowMs);
      return {};
    },
  };
}
