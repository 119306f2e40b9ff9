/** Volumes: folders for files of any kind, by a three-level name and as `/Volumes/<catalog>/<schema>/<volume>/…`. */
import { z } from 'zod';
import { comment, FullName, ObjectName, objectNameCharsMax, pageFields, recordFields } from './catalogs.ts';
import { route } from './route.ts';
import { Nothing } from './wire.ts';

export const volumeTypes = ['MANAGED', 'EXTERNAL'] as const;

const { properties: _, ...volumeRecordFields } = recordFields;

export const VolumeInfo = z.looseObject({
  name: z.string(),
  catalog_name: z.string(),
  schema_name: z.string(),
  full_name: z.string(),
  volume_id: z.string(),
  volume_type: z.enum(volumeTypes),
  storage_location: z.string(),
  ...volumeRecordFields,
});
export type VolumeInfo = z.output<typeof VolumeInfo>;

const volumesPath = '/api/2.1/unity-catalog/volumes';

export const volumesCreate = route({
  method: 'POST',
  path: volumesPath,
  summary:
    'Makes a volume: a managed one below the data root, an external one in a folder that the server allows.',
  request: z.object({
    name: ObjectName,
    catalog_name: ObjectName,
    schema_name: ObjectName,
    volume_type: z.enum(volumeTypes),
    storage_location: z.string().max(4_096).optional(),
    comment,
  }),
  response: VolumeInfo,
  permission: 'user',
  audit: 'volumes.create',
});

export const volumesGet = route({
  method: 'GET',
  path: `${volumesPath}/{name}`,
  summary: 'Shows one volume.',
  request: z.object({ name: FullName }),
  response: VolumeInfo,
  permission: 'user',
  audit: 'volumes.get',
});

export const volumesList = route({
  method: 'GET',
  path: volumesPath,
  summary: 'Lists the volumes of a schema.',
  request: z.object({ catalog_name: ObjectName, schema_name: ObjectName, ...pageFields }),
  response: z.looseObject({
    volumes: z.array(VolumeInfo).optional(),
    next_page_token: z.string().optional(),
  }),
  permission: 'user',
  audit: 'volumes.list',
});

export const volumesUpdate = route({
  method: 'PATCH',
  path: `${volumesPath}/{name}`,
  summary: 'Changes a volume: its name, its owner, its comment.',
  request: z.object({
    name: FullName,
    new_name: ObjectName.optional(),
    owner: z.string().max(objectNameCharsMax).optional(),
    comment,
  }),
  response: VolumeInfo,
  permission: 'user',
  audit: 'volumes.update',
});

export const volumesDelete = route({
  method: 'DELETE',
  path: `${volumesPath}/{name}`,
  summary: 'Forgets a volume; the files of a managed one go with it, those of an external one stay.',
  request: z.object({ name: FullName }),
  response: Nothing,
  permission: 'user',
  audit: 'volumes.delete',
});
