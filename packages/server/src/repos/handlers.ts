import type { Handlers, routes } from '@headrace/api';
import type { RequestContext } from '../context.ts';
import { createRepo, deleteRepo, type RepoServices, requireOwnRepo, updateRepo } from './change-repos.ts';
import { listRepoPage } from './list-repos.ts';
import { toRepo } from './wire.ts';

type RepoHandlers = Pick<
  Handlers<typeof routes, RequestContext>,
  'reposCreate' | 'reposGet' | 'reposList' | 'reposUpdate' | 'reposDelete'
>;

export function createRepoHandlers(services: RepoServices): RepoHandlers {
  return {
    reposCreate: (request, context) => createRepo(services, request, context),
    async reposGet({ repo_id }, { principal }) {
      return toRepo(await requireOwnRepo(services, repo_id, principal));
    },
    reposList: (request, { principal }) => listRepoPage(services.db, request, principal),
    async reposUpdate(request, context) {
      const warnings = await updateRepo(services, request, context);
      return warnings.length === 0 ? {} : { warnings: [...warnings] };
    },
    async reposDelete({ repo_id }, context) {
      await deleteRepo(services, repo_id, context);
      return {};
    },
  };
}
