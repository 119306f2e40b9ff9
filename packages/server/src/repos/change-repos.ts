/** Makes, updates and deletes Git folders. What takes long happens between two short transactions, under a mark. */
import { ApiError, type Repo, type RequestOf, type routes } from '@headrace/api';
import type { Principal } from '../context.ts';
import type { Querier } from '../db/connect.ts';
import { requireCredential, requireProvider } from '../git/credentials.ts';
import { toApiProblem } from '../git/git-problem.ts';
import type { GitReference } from '../git/git-reference.ts';
import type { Remote } from '../git/git-remote.ts';
import { type GitServices, openRemote, requireCone, requireReference } from '../git/run-checkout.ts';
import type { Services } from '../services.ts';
import { deleteObject } from '../workspace/delete-object.ts';
import { makeFolders } from '../workspace/make-folders.ts';
import { insertRepoObject, putTree } from '../workspace/tree-objects.ts';
import { normalizePath, parentOf, toBlobKey } from '../workspace/workspace-path.ts';
import { readTree } from './read-tree.ts';
import {
  beginChange,
  endChange,
  findGitFolder,
  type GitFolderRow,
  giveUpChange,
  insertGitFolder,
} from './store.ts';
import { toRepo } from './wire.ts';
import { planTree, writeBlobs } from './write-tree.ts';

export type RepoServices = Services & GitServices;

/** Longer than fetching and checking out may take together. */
const busyMs = 20 * 60_000;

interface Caller {
  readonly principal: Principal;
  readonly nowMs: number;
}

export async function createRepo(
  services: RepoServices,
  request: RequestOf<typeof routes.reposCreate>,
  { principal, nowMs }: Caller,
): Promise<Repo> {
  const provider = requireProvider('provider', request.provider);
  const path = placeFor(request, principal);
  const credentialId = await checkCredential(services, request.git_credential_id, principal);
  return withApiErrors(async () => {
    const remote = await openRemote(services, {
      url: request.url,
      provider,
      principalId: principal.id,
      credentialId,
    });
    requireCone(request.sparse_checkout?.patterns);
    const reference = requireReference({ git_branch: request.branch, git_tag: request.tag });
    // Before anything is made: a typing error in the URL leaves nothing behind.
    const head = await services.checkouts.resolve(remote, reference);
    const row: GitFolderRow = {
      repoId: services.ids.newId(),
      path,
      ownerId: principal.id,
      url: request.url,
      provider,
      branch: head.branch,
      tag: request.tag ?? null,
      headCommit: null,
      patterns: request.sparse_checkout?.patterns ?? null,
      credentialId,
    };
    const busyUntilMs = nowMs + busyMs;
    await claimPath(services, row, { nowMs, busyUntilMs });
    try {
      const change = { remote, commit: head.commit, before: {}, busyUntilMs, nowMs, discardLocal: true };
      const { row: filled, warnings } = await fill(services, row, change);
      return { ...toRepo(filled), ...(warnings.length > 0 && { warnings }) };
    } catch (error) {
      await deleteObject(services, { path, recursive: true, nowMs });
      throw error;
    }
  });
}

export async function updateRepo(
  services: RepoServices,
  request: RequestOf<typeof routes.reposUpdate>,
  { principal, nowMs }: Caller,
): Promise<readonly string[]> {
  const before = await requireOwnRepo(services, request.repo_id, principal);
  const credentialId =
    (await checkCredential(services, request.git_credential_id, principal)) ?? before.credentialId;
  const wanted = { ...before, ...movedTo(before, request), credentialId };
  const busyUntilMs = nowMs + busyMs;
  const files = await beginChange(services.db, before.repoId, { nowMs, busyUntilMs });
  if (files === null) {
    throw new ApiError(
      'RESOURCE_CONFLICT',
      `Git folder ${before.repoId} is being updated by another request`,
    );
  }
  try {
    return await withApiErrors(async () => {
      const remote = await openRemote(services, { ...wanted, principalId: before.ownerId });
      const { commit, branch } = await services.checkouts.resolve(remote, referenceOf(wanted));
      const discardLocal = request.dangerously_force_discard_all;
      const row = { ...wanted, branch };
      const change = { remote, commit, before: files, busyUntilMs, nowMs, discardLocal };
      return (await fill(services, row, change)).warnings;
    });
  } finally {
    await giveUpChange(services.db, before.repoId, busyUntilMs);
  }
}

export async function deleteRepo(
  services: RepoServices,
  repoId: number,
  { principal, nowMs }: Caller,
): Promise<void> {
  const { path } = await requireOwnRepo(services, repoId, principal);
  await deleteObject(services, { path, recursive: true, nowMs });
}

export async function requireOwnRepo(
  { db }: { readonly db: Querier },
  repoId: number,
  principal: Principal,
): Promise<GitFolderRow> {
  const row = await findGitFolder(db, repoId);
  if (!row) throw new ApiError('RESOURCE_DOES_NOT_EXIST', `Git folder ${repoId} does not exist.`);
  if (row.ownerId === principal.id || principal.isAdmin) return row;
  throw new ApiError(
    'PERMISSION_DENIED',
    `${principal.userName} may not use Git folder ${repoId}: it is another user's`,
  );
}

function placeFor({ path, url }: { path?: string | undefined; url: string }, principal: Principal): string {
  const name =
    url
      .replace(/\/+$/, '')
      .replace(/\.git$/, '')
      .split(/[/:]/)
      .at(-1) ?? '';
  const place = normalizePath(path ?? `/Repos/${principal.userName}/${name}`);
  const parts = place.split('/').slice(1);
  if (parts[0] === 'Repos' && parts.length !== 3) {
    throw new ApiError(
      'INVALID_PARAMETER_VALUE',
      `path: below /Repos a Git folder lies at /Repos/<folder>/<name>, and ${place} does not`,
    );
  }
  if (parts.length < 2)
    throw new ApiError('INVALID_PARAMETER_VALUE', `path: ${place} is no place for a Git folder`);
  return place;
}

async function checkCredential(
  { db }: Pick<Services, 'db'>,
  credentialId: number | undefined,
  principal: Principal,
): Promise<number | null> {
  if (credentialId === undefined) return null;
  await requireCredential(db, { credentialId, principalId: principal.id });
  return credentialId;
}

/** The path is ours from here on, though nothing lies there yet. */
async function claimPath(
  services: RepoServices,
  row: GitFolderRow,
  times: { readonly nowMs: number; readonly busyUntilMs: number },
): Promise<void> {
  const { path, repoId, ownerId } = row;
  await makeFolders(services, { path: parentOf(path), createdBy: ownerId, nowMs: times.nowMs });
  await services.db.transaction(async (client) => {
    await insertRepoObject(client, { path, objectId: repoId }, { nowMs: times.nowMs, createdBy: ownerId });
    await insertGitFolder(client, row, times);
    await services.blobs.makeFolder(toBlobKey(path));
  });
}

interface FilledFolder {
  readonly row: GitFolderRow;
  /** What people should know of its files. */
  readonly warnings: string[];
}

async function fill(
  services: RepoServices,
  row: GitFolderRow,
  change: {
    readonly remote: Remote;
    readonly commit: string;
    readonly before: Readonly<Record<string, string>>;
    readonly discardLocal: boolean;
    readonly busyUntilMs: number;
    readonly nowMs: number;
  },
): Promise<FilledFolder> {
  const { remote, commit, before, busyUntilMs, nowMs, discardLocal } = change;
  const { path: root, patterns } = row;
  const cone = requireCone(patterns ?? undefined);
  const checkout = await services.checkouts.ensure(remote, commit, cone);
  const after = await readTree(checkout.folder, { root });
  const plan = await planTree(services, { root, before, after, discardLocal });
  await writeBlobs(services, plan);
  const filled = { ...row, headCommit: commit };
  const files = Object.fromEntries(after.map((file) => [file.path, file.hash]));
  await services.db.transaction(async (client) => {
    if (!(await endChange(client, filled, { files, busyUntilMs })))
      throw new ApiError('RESOURCE_CONFLICT', `Git folder ${row.repoId} was changed or deleted meanwhile`);
    const tree = { root, files: plan.write, remove: plan.remove };
    await putTree(services.ids, client, tree, { nowMs, createdBy: row.ownerId });
  });
  return { row: filled, warnings: checkout.warning === null ? [] : [checkout.warning] };
}

/** Without a branch or a tag, the latest commit of the same. */
function movedTo(
  before: GitFolderRow,
  { branch, tag, sparse_checkout }: RequestOf<typeof routes.reposUpdate>,
): Pick<GitFolderRow, 'branch' | 'tag' | 'patterns'> {
  if (branch !== undefined && tag !== undefined)
    throw new ApiError('INVALID_PARAMETER_VALUE', 'branch, tag: give one of them, not both');
  const patterns = sparse_checkout === undefined ? before.patterns : (sparse_checkout.patterns ?? null);
  if (sparse_checkout !== undefined && before.patterns === null) {
    throw new ApiError(
      'INVALID_PARAMETER_VALUE',
      'sparse_checkout: can be changed only where the Git folder was made with it',
    );
  }
  if (branch !== undefined) return { branch, tag: null, patterns };
  if (tag !== undefined) return { branch: null, tag, patterns };
  return { branch: before.branch, tag: before.tag, patterns };
}

function referenceOf({ branch, tag }: GitFolderRow): GitReference {
  return requireReference({
    git_branch: tag === null ? (branch ?? undefined) : undefined,
    git_tag: tag ?? undefined,
  });
}

async function withApiErrors<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw toApiProblem(error);
  }
}
