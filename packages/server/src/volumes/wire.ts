import type { VolumeInfo } from '@headrace/api';
import type { BlobStore } from '../blobs/blob-store.ts';
import type { VolumeRow } from './store.ts';
import { volumeKey } from './volume-names.ts';

export function toVolumeInfo(row: VolumeRow, blobs: BlobStore): VolumeInfo {
  const { catalog, schema, name } = row;
  return {
    name,
    catalog_name: catalog,
    schema_name: schema,
    full_name: `${catalog}.${schema}.${name}`,
    volume_id: row.id,
    volume_type: row.externalLocation === null || row.hasOwnFolder ? 'MANAGED' : 'EXTERNAL',
    storage_location: row.externalLocation ?? blobs.locate(volumeKey({ catalog, schema, volume: name })),
    owner: row.owner,
    ...(row.comment === null ? {} : { comment: row.comment }),
    created_at: row.createdAtMs,
    created_by: row.createdBy,
    updated_at: row.updatedAtMs,
    updated_by: row.updatedBy,
  };
}
