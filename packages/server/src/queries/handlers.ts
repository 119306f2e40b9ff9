import type { Handlers, routes } from '@headrace/api';
import type { RequestContext } from '../context.ts';
import type { Services } from '../services.ts';
import { getQuery, listQueries } from './read-queries.ts';
import { createQuery, trashQuery, updateQuery } from './save-query.ts';

type QueryHandlers = Pick<
  Handlers<typeof routes, RequestContext>,
  'queriesCreate' | 'queriesList' | 'queriesGet' | 'queriesUpdate' | 'queriesDelete'
>;

export function createQueryHandlers(services: Pick<Services, 'db'>): QueryHandlers {
  return {
    queriesCreate: (request, context) => createQuery(services, request, context),
    queriesList: (request) => listQueries(services.db, request),
    queriesGet: ({ id }) => getQuery(services.db, id),
    queriesUpdate: (request, context) => updateQuery(services, request, context),
    async queriesDelete({ id }, context) {
      await trashQuery(services, id, context);
      return {};
    },
  };
}
