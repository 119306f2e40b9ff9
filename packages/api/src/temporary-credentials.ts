/** What outside readers ask for before they open files: here the files are local, and need no keys. */
import { z } from 'zod';
import { route } from './route.ts';
import { epochMs, wireBool } from './wire.ts';

const versions = (name: string) => ({
  path: `/api/2.1/unity-catalog/${name}`,
  aliases: [`/api/2.0/unity-catalog/${name}`],
});

export const TemporaryCredentials = z.looseObject({
  /** The folder, as a file: address. */
  url: z.string(),
  expiration_time: epochMs,
});
export type TemporaryCredentials = z.output<typeof TemporaryCredentials>;

export const temporaryTableCredentialsCreate = route({
  method: 'POST',
  ...versions('temporary-table-credentials'),
  summary: 'Says where the files of a table are; a local folder needs no keys.',
  request: z.object({ table_id: z.uuid(), operation: z.enum(['READ', 'READ_WRITE']).default('READ') }),
  response: TemporaryCredentials,
  permission: 'user',
  audit: 'temporary-credentials.create-for-table',
});

export const temporaryVolumeCredentialsCreate = route({
  method: 'POST',
  ...versions('temporary-volume-credentials'),
  summary: 'Says where the files of a volume are; a local folder needs no keys.',
  request: z.object({
    volume_id: z.uuid(),
    operation: z.enum(['READ_VOLUME', 'WRITE_VOLUME']).default('READ_VOLUME'),
  }),
  response: TemporaryCredentials,
  permission: 'user',
  audit: 'temporary-credentials.create-for-volume',
});

export const temporaryPathCredentialsCreate = route({
  method: 'POST',
  ...versions('temporary-path-credentials'),
  summary:
    'Says whether a local path is one of tables, volumes or allowed locations; such a path needs no keys.',
  request: z.object({
    url: z.string().min(1).max(4_096),
    operation: z.enum(['PATH_READ', 'PATH_READ_WRITE', 'PATH_CREATE_TABLE']),
    dry_run: wireBool.default(false),
  }),
  response: TemporaryCredentials,
  permission: 'user',
  audit: 'temporary-credentials.create-for-path',
});
