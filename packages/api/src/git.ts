/** Git as jobs and Git folders name it: providers, the source of a job's tasks, and the checkout that a run uses. */
import { z } from 'zod';
import { route } from './route.ts';
import { wireId } from './wire.ts';

export const gitProviders = [
  'gitHub',
  'gitHubEnterprise',
  'gitLab',
  'gitLabEnterpriseEdition',
  'bitbucketCloud',
  'bitbucketServer',
  'azureDevOpsServices',
  'awsCodeCommit',
] as const;
export type GitProviderName = (typeof gitProviders)[number];

/** Clients write both `gitHub` and `github`: any case is understood. Undefined for a provider that nobody has. */
export function findGitProvider(text: string): GitProviderName | undefined {
  return gitProviders.find((name) => name.toLowerCase() === text.toLowerCase());
}

export const gitUrlCharsMax = 2_048;
/** What file systems allow for one name, and so servers for a branch. */
export const gitNameCharsMax = 255;
export const sparsePatternsMax = 500;

const gitName = z.string().min(1).max(gitNameCharsMax);

export const SparseCheckout = z.looseObject({
  patterns: z.array(z.string().min(1)).max(sparsePatternsMax).optional(),
});

export const GitSource = z.looseObject({
  git_url: z.string().min(1).max(gitUrlCharsMax),
  git_provider: z.string(),
  git_branch: gitName.optional(),
  git_tag: gitName.optional(),
  git_commit: gitName.optional(),
  /** Of runs: what the branch or tag was when the run first needed it. */
  git_snapshot: z.looseObject({ used_commit: z.string().optional() }).optional(),
  /** Where a client keeps the job's own definition; kept and shown. */
  job_source: z
    .looseObject({
      job_config_path: z.string(),
      import_from_git_branch: z.string(),
      dirty_state: z.enum(['DISCONNECTED', 'NOT_SYNCED']).optional(),
    })
    .optional(),
  sparse_checkout: SparseCheckout.optional(),
});
export type GitSource = z.output<typeof GitSource>;

/** For tasks: the first that asks has it made, others wait for the same. */
export const runGitCheckout = route({
  method: 'POST',
  path: '/api/headrace/runs/{run_id}/git-checkout',
  summary: "Makes the checkout of a run's Git source, or says that it is still being made. Safe to repeat.",
  request: z.object({ run_id: wireId }),
  response: z.looseObject({
    state: z.enum(['ready', 'waiting', 'failed']),
    /** With `ready`: the workspace path of the checkout, and its commit. */
    path: z.string().optional(),
    commit: z.string().optional(),
    /** With `ready`: what people should know of it. */
    warnings: z.array(z.string()).optional(),
    /** With `failed`: why. */
    message: z.string().optional(),
  }),
  permission: 'user',
  audit: 'runs.git-checkout',
});
