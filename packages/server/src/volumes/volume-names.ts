/** Names of volumes: three levels, folded as those of tables are. */
import { ApiError } from '@headrace/api';
import { foldName, type SchemaName } from '../catalogs/names.ts';

export interface VolumeName extends SchemaName {
  readonly volume: string;
}

export function parseVolumeName(fullName: string): VolumeName {
  const [catalog, schema, volume, ...rest] = foldName(fullName).split('.');
  if (!catalog || !schema || !volume || rest.length > 0) {
    throw new ApiError(
      'INVALID_PARAMETER_VALUE',
      `name: "${fullName.slice(0, 200)}" is not of the form catalog.schema.volume`,
    );
  }
  return { catalog, schema, volume };
}

export const formatVolumeName = ({ catalog, schema, volume }: VolumeName): string =>
  `${catalog}.${schema}.${volume}`;

/** Where tasks and Spark look for it: the folder, or the link to the folder, of /Volumes/<catalog>/<schema>/<volume>. */
export const volumeKey = ({ catalog, schema, volume }: VolumeName): string =>
  `volumes/${catalog}/${schema}/${volume}`;
