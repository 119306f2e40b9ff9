/** Routes that no page uses yet: lists are short, changes are refused. A page that needs more moves its route out. */
import { ApiError } from '@headrace/api';
import type { MockHandlers } from './handlers.ts';
import { owner } from './world.ts';

type Used =
  | 'jobsGet'
  | 'jobsList'
  | 'jobsRunNow'
  | 'jobsDelete'
  | 'runsGet'
  | 'runsList'
  | 'runsCancel'
  | 'runsCancelAll'
  | 'runsDelete'
  | 'runsRepair'
  | 'runsRepairPreview'
  | 'runsExport'
  | 'runsWhy'
  | 'runEvents'
  | 'runsGetOutput'
  | 'taskLog'
  | 'taskNotebook'
  | 'status';

const refuse = async (): Promise<never> => {
  throw new ApiError('NOT_IMPLEMENTED', 'The fake does not do this; packages/web/mock is where it would.');
};

export const sessionCookie = 'headrace_session';

export const restHandlers: Omit<MockHandlers, Used> = {
  jobsCreate: refuse,
  jobsUpdate: refuse,
  jobsReset: refuse,
  runsSubmit: refuse,
  workspaceImport: refuse,
  workspaceExport: refuse,
  workspaceList: async () => ({ objects: [] }),
  workspaceGetStatus: refuse,
  workspaceMkdirs: refuse,
  workspaceDelete: refuse,
  reposCreate: refuse,
  reposGet: refuse,
  reposList: async () => ({ repos: [] }),
  reposUpdate: refuse,
  reposDelete: refuse,
  gitCredentialsCreate: refuse,
  gitCredentialsGet: refuse,
  gitCredentialsList: async () => ({ credentials: [] }),
  gitCredentialsUpdate: refuse,
  gitCredentialsDelete: refuse,
  runGitCheckout: refuse,
  currentUserMe: async () => ({ id: '1', userName: owner, displayName: 'Ada', active: true }),
  clusterPoliciesCreate: refuse,
  clusterPoliciesEdit: refuse,
  clusterPoliciesDelete: refuse,
  clusterPoliciesGet: refuse,
  clusterPoliciesList: async () => ({ policies: [] }),
  policyFamiliesGet: refuse,
  policyFamiliesList: async () => ({ policy_families: [] }),
  instancePoolsCreate: refuse,
  instancePoolsEdit: refuse,
  instancePoolsDelete: refuse,
  instancePoolsGet: refuse,
  instancePoolsList: async () => ({ instance_pools: [] }),
  clustersCreate: refuse,
  clustersEdit: refuse,
  clustersUpdate: refuse,
  clustersStart: refuse,
  clustersRestart: refuse,
  clustersDelete: refuse,
  clustersPermanentDelete: refuse,
  clustersPin: refuse,
  clustersUnpin: refuse,
  clustersResize: refuse,
  clustersChangeOwner: refuse,
  clustersEvents: async () => ({ events: [], total_count: 0 }),
  clustersListNodeTypes: async () => ({ node_types: [] }),
  clustersSparkVersions: async () => ({ versions: [] }),
  clustersListZones: async () => ({ zones: ['local'], default_zone: 'local' }),
  clustersGet: refuse,
  clustersList: async () => ({ clusters: [] }),
  librariesInstall: refuse,
  librariesUninstall: refuse,
  librariesClusterStatus: async ({ cluster_id }) => ({ cluster_id, library_statuses: [] }),
  librariesAllClusterStatuses: async () => ({ statuses: [] }),
  tokensCreate: refuse,
  tokensList: async () => ({ token_infos: [] }),
  tokensDelete: refuse,
  secretScopesCreate: refuse,
  secretScopesList: async () => ({ scopes: [] }),
  secretScopesDelete: refuse,
  secretsPut: refuse,
  secretsGet: refuse,
  secretsList: async () => ({ secrets: [] }),
  secretsDelete: refuse,
  secretAclsPut: refuse,
  secretAclsGet: refuse,
  secretAclsList: async () => ({ items: [] }),
  secretAclsDelete: refuse,
  secretKeyGet: refuse,
  secretKeyRotate: refuse,
  catalogsCreate: refuse,
  catalogsGet: async ({ name }) => ({ name }),
  catalogsList: async () => ({ catalogs: [{ name: 'dev' }, { name: 'main' }] }),
  catalogsUpdate: refuse,
  catalogsDelete: refuse,
  schemasCreate: refuse,
  schemasGet: refuse,
  schemasList: async () => ({ schemas: [] }),
  schemasUpdate: refuse,
  schemasDelete: refuse,
  tablesCreate: refuse,
  tablesGet: refuse,
  tablesList: async () => ({ tables: [] }),
  tablesUpdate: refuse,
  tablesDelete: refuse,
  tablesExists: async () => ({ table_exists: false }),
  tableLocationsCreate: refuse,
  volumesCreate: refuse,
  volumesGet: refuse,
  volumesList: async () => ({ volumes: [] }),
  volumesUpdate: refuse,
  volumesDelete: refuse,
  filesUpload: refuse,
  filesDownload: refuse,
  filesGetMetadata: refuse,
  filesDelete: refuse,
  directoriesCreate: refuse,
  directoriesGetMetadata: refuse,
  directoriesDelete: refuse,
  directoriesList: async () => ({ contents: [] }),
  wellKnownConfig: async () => ({ oidc_endpoint: '', workspace_id: '1' }),
  healthz: async () => ({ status: 'ok' }),
  readyz: async () => ({ status: 'ready' }),
  doctor: refuse,
  metrics: refuse,
  signInLinksCreate: refuse,
  signIn: async ({ code }) => ({
    location: '/',
    set_cookie: `${sessionCookie}=${encodeURIComponent(code)}; HttpOnly; Path=/; SameSite=Strict`,
  }),
  signOut: async () => ({}),
  workersChallenge: refuse,
  workersRegister: refuse,
  workersClaim: refuse,
  workersStart: refuse,
  workersHeartbeat: refuse,
  workersReport: refuse,
  workersReportHost: refuse,
  workersReadSecrets: refuse,
  workersRelease: refuse,
  workersSignOff: refuse,
  workerTokensCreate: refuse,
  workerTokensList: async () => ({ token_infos: [] }),
  workerTokensDelete: refuse,
};
