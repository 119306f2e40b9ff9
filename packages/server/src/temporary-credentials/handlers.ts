import type { Handlers, routes } from '@headrace/api';
import type { RequestContext } from '../context.ts';
import type { Services } from '../services.ts';
import { checkPath, findTableFolder, findVolumeFolder } from './find-folder.ts';

type CredentialHandlers = Pick<
  Handlers<typeof routes, RequestContext>,
  'temporaryTableCredentialsCreate' | 'temporaryVolumeCredentialsCreate' | 'temporaryPathCredentialsCreate'
>;

export function createTemporaryCredentialHandlers(services: Services): CredentialHandlers {
  return {
    temporaryTableCredentialsCreate: ({ table_id }, { nowMs }) => findTableFolder(services, table_id, nowMs),
    temporaryVolumeCredentialsCreate: ({ volume_id }, { nowMs }) =>
      findVolumeFolder(services, volume_id, nowMs),
    temporaryPathCredentialsCreate: ({ url }, { nowMs }) => checkPath(services, url, nowMs),
  };
}
