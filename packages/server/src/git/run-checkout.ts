/**
 * The checkout of a run. Its tasks ask for it when they begin, so that no decision of the engine waits for a network.
 * Who asks first has the branch resolved; the commit is recorded, and counts for all tasks, retries and repairs.
 */
import { ApiError, type GitSource, type RequestOf, type ResponseOf, type routes } from '@headrace/api';
import type { Principal } from '../context.ts';
import type { SecretKeys } from '../secrets/secret-key.ts';
import type { Services } from '../services.ts';
import type { Checkouts, MadeCheckout } from './checkouts.ts';
import { findLogin, requireProvider } from './credentials.ts';
import { GitProblem } from './git-problem.ts';
import { describeReference, type GitReference, readReference } from './git-reference.ts';
import type { Remote } from './git-remote.ts';
import { parseGitUrl } from './git-url.ts';
import { type Cone, readCone } from './sparse-cone.ts';
import { listUsedCommits, recordUsedCommit } from './store.ts';

export interface GitServices extends Pick<Services, 'db' | 'ids' | 'config' | 'log'> {
  readonly keys: SecretKeys;
  readonly checkouts: Checkouts;
}

export interface GitRun {
  readonly ownerId: number;
  readonly source: GitSource | undefined;
}

type Answer = ResponseOf<typeof routes.runGitCheckout>;

/** A proxy lets a request take 30 s. */
const waitMs = 20_000;

export interface RunCheckouts {
  ask(request: RequestOf<typeof routes.runGitCheckout>, principal: Principal): Promise<Answer>;
}

/** @param readRun null for a run that is not there. */
export function createRunCheckouts(
  services: GitServices,
  readRun: (runId: number) => Promise<GitRun | null>,
): RunCheckouts {
  const running = new Map<number, Promise<Answer>>();

  async function make(runId: number, run: GitRun): Promise<Answer> {
    try {
      const { commit, path, warning } = await checkOutForRun(services, runId, run);
      const warnings = warning === null ? {} : { warnings: [warning] };
      return { state: 'ready', commit, path: `/Workspace${path}`, ...warnings };
    } catch (error) {
      // The task asks the next start of the server.
      if (error instanceof GitProblem && error.kind === 'stopping') return { state: 'waiting' };
      if (!(error instanceof GitProblem) && !(error instanceof ApiError)) throw error;
      services.log.info({ run_id: runId, reason: error.message }, 'the Git source of a run cannot be read');
      return { state: 'failed', message: error.message };
    }
  }

  return {
    async ask({ run_id: runId }, principal) {
      const run = await readRun(runId);
      if (!run || (run.ownerId !== principal.id && !principal.isAdmin)) {
        throw new ApiError('RESOURCE_DOES_NOT_EXIST', `Run ${runId} does not exist.`);
      }
      const made = running.get(runId) ?? make(runId, run).finally(() => running.delete(runId));
      running.set(runId, made);
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<Answer>((resolve) => {
        timer = setTimeout(() => resolve({ state: 'waiting' }), waitMs);
      });
      return Promise.race([made, late]).finally(() => clearTimeout(timer));
    },
  };
}

async function checkOutForRun(
  services: GitServices,
  runId: number,
  { ownerId, source }: GitRun,
): Promise<MadeCheckout> {
  if (!source) throw new GitProblem('refused', 'the job has no git_source');
  const remote = await openRemote(services, {
    url: source.git_url,
    provider: source.git_provider,
    principalId: ownerId,
  });
  const reference = requireReference(source);
  const cone = requireCone(source.sparse_checkout?.patterns);
  const recorded = await findUsedCommit(services, runId, source, reference);
  const commit = recorded ?? (await resolveForRun(services, { runId, source, remote, reference }));
  return services.checkouts.ensure(remote, commit, cone);
}

async function resolveForRun(
  { db, checkouts }: GitServices,
  {
    runId,
    source,
    remote,
    reference,
  }: {
    readonly runId: number;
    readonly source: GitSource;
    readonly remote: Remote;
    readonly reference: GitReference;
  },
): Promise<string> {
  const { commit } = await checkouts.resolve(remote, reference);
  const used = { run_id: runId, git_url: source.git_url, reference: describeReference(reference), commit };
  return recordUsedCommit(db, used);
}

async function findUsedCommit(
  { db }: Pick<GitServices, 'db'>,
  runId: number,
  source: GitSource,
  reference: GitReference,
): Promise<string | null> {
  const name = describeReference(reference);
  const used = await listUsedCommits(db, [runId]);
  return used.find((each) => each.git_url === source.git_url && each.reference === name)?.commit ?? null;
}

/** Null for the whole repository. */
export function requireCone(patterns: readonly string[] | undefined): Cone | null {
  const cone = patterns === undefined ? null : readCone(patterns);
  if (cone !== null && 'problem' in cone) throw new GitProblem('refused', `sparse_checkout: ${cone.problem}`);
  return cone;
}

export function requireReference(source: Parameters<typeof readReference>[0]): GitReference {
  const reference = readReference(source);
  if ('problem' in reference) throw new GitProblem('refused', reference.problem);
  return reference;
}

export async function openRemote(
  { db, keys, config }: Pick<GitServices, 'db' | 'keys' | 'config'>,
  wanted: {
    readonly url: string;
    readonly provider: string;
    readonly principalId: number;
    readonly credentialId?: number | null;
  },
): Promise<Remote> {
  const url = parseGitUrl(wanted.url, config.gitProtocols);
  if ('problem' in url) throw new GitProblem('refused', `url: ${url.problem}`);
  const provider = requireProvider('git_provider', wanted.provider);
  return { url, login: await findLogin({ db, keys }, { ...wanted, url, provider }) };
}
