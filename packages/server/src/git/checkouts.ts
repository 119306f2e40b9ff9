/**
 * Checkouts by commit, each made once, shared by all runs, never changed: files without write permission, appearing
 * whole under their name. Behind them a bare mirror for each repository, so that a new commit costs only what is new.
 *
 *   git/<repository>                                        the mirror
 *   workspace/Repos/.internal/<repository>_commits/<commit>  a checkout, where tasks find it; with a suffix, some folders
 *
 * Nothing is locked: mirrors get references named by commits, drafts of checkouts have names of their own, and of two
 * processes that finish the same one the second drops its own.
 */
import crypto from 'node:crypto';
import fs from 'node:fs/promises';
import path from 'node:path';
import type { BlobStore } from '../blobs/blob-store.ts';
import { internalFolder } from '../workspace/workspace-path.ts';
import { GitProblem } from './git-problem.ts';
import type { GitReference } from './git-reference.ts';
import { isWholeCommit } from './git-reference.ts';
import {
  fetchCommit,
  type Remote,
  type RemoteOptions,
  type Resolved,
  resolveReference,
} from './git-remote.ts';
import { findPointers, keepNote, readNote, type TreeEntry } from './lfs-pointers.ts';
import { makeReadOnly, measureFolder, removeTree } from './read-only-tree.ts';
import type { Git } from './run-git.ts';
import { type Cone, isInCone, suffixOf } from './sparse-cone.ts';

export interface Checkout {
  readonly commit: string;
  /** Of the workspace: `/Repos/.internal/…`. */
  readonly path: string;
  /** On this machine. */
  readonly folder: string;
}

export interface MadeCheckout extends Checkout {
  /** What people should know of it. */
  readonly warning: string | null;
}

export interface CheckoutsOptions extends Pick<RemoteOptions, 'git' | 'isLocalAllowed' | 'hasProxy'> {
  readonly blobs: Pick<BlobStore, 'locate'>;
  readonly limits?: Partial<CheckoutLimits>;
}

export interface CheckoutLimits {
  readonly filesMax: number;
  readonly bytesMax: number;
  readonly mirrorBytesMax: number;
}

/** Repositories of code are smaller by far; what is larger belongs into volumes. */
const defaultLimits: CheckoutLimits = {
  filesMax: 50_000,
  bytesMax: 1024 ** 3,
  mirrorBytesMax: 4 * 1024 ** 3,
};
const localTimeoutMs = 300_000;
export const mirrorsRoot = 'git';
export const draftPrefix = '.draft-';

export interface Checkouts {
  resolve(
    remote: Remote,
    reference: GitReference,
  ): Promise<{ readonly commit: string; readonly branch: string | null }>;
  /** The whole commit, or the folders of a cone. */
  ensure(remote: Remote, commit: string, cone?: Cone | null): Promise<MadeCheckout>;
}

export function createCheckouts(options: CheckoutsOptions): Checkouts {
  const limits = { ...defaultLimits, ...options.limits };
  const making = new Map<string, Promise<MadeCheckout>>();

  async function ensure(remote: Remote, commit: string, cone: Cone | null): Promise<MadeCheckout> {
    if (!isWholeCommit(commit)) throw new GitProblem('refused', `${commit} is no whole commit id`);
    const url = remote.url.text;
    const checkout = placeOf(url, commit + suffixOf(cone), options.blobs);
    const name = path.basename(checkout.folder);
    if (!(await touch(checkout.folder))) {
      const mirror = await ensureMirror(url, options);
      await ensureCommit(remote, commit, mirror);
      await makeCheckout(remote, { ...checkout, commit }, { git: options.git, mirror, limits, cone });
    }
    return { ...checkout, commit, warning: await readNote(mirrorOf(url, options), name) };
  }

  async function ensureCommit(remote: Remote, commit: string, mirror: string): Promise<void> {
    if ((await findCommit(options.git, mirror, commit)) !== null) return;
    const watch = async () => {
      const bytes = await measureFolder(path.join(mirror, 'objects'), 2);
      return bytes > limits.mirrorBytesMax ? `it has more than ${limits.mirrorBytesMax} bytes` : null;
    };
    try {
      await fetchCommit(remote, commit, { ...options, mirror, watch });
    } catch (error) {
      // Two that bring the same commit can be in each other's way: what counts is that it is there.
      if ((await findCommit(options.git, mirror, commit)) === null) throw error;
    }
    if ((await findCommit(options.git, mirror, commit)) === null) {
      throw new GitProblem('not_found', `${remote.url.text} has no commit ${commit}`);
    }
  }

  return {
    async resolve(remote, reference) {
      const mirror = await ensureMirror(remote.url.text, options);
      const resolved: Resolved = await resolveReference(remote, reference, { ...options, mirror });
      if (resolved.commit !== null) return { ...resolved, commit: resolved.commit };
      const short = reference.kind === 'commit' ? reference.name : '';
      await fetchCommit(remote, short, { ...options, mirror });
      const commit = await findCommit(options.git, mirror, short);
      if (commit === null) throw new GitProblem('not_found', `${remote.url.text} has no commit ${short}`);
      return { commit, branch: null };
    },
    ensure(remote, commit, cone = null) {
      const key = `${remote.url.text} ${commit}${suffixOf(cone)}`;
      const running = making.get(key) ?? ensure(remote, commit, cone).finally(() => making.delete(key));
      making.set(key, running);
      return running;
    },
  };
}

/** A readable name, and a hash that tells two of that name apart. */
export function nameOfRepository(url: string): string {
  const name = (
    url
      .replace(/\/+$/, '')
      .replace(/\.git$/, '')
      .split(/[/:]/)
      .at(-1) ?? ''
  ).replaceAll(/[^\w.-]/g, '_');
  const hash = crypto.createHash('sha256').update(url).digest('hex').slice(0, 12);
  return `${name.replace(/^\.+/, '').slice(0, 60) || 'repository'}-${hash}`;
}

/** The folder of a repository's checkouts. */
export function commitsOf(repository: string): string {
  return `${repository}_commits`;
}

function placeOf(url: string, name: string, blobs: Pick<BlobStore, 'locate'>): Omit<Checkout, 'commit'> {
  const below = `${internalFolder}/${commitsOf(nameOfRepository(url))}/${name}`;
  return { path: below, folder: blobs.locate(`workspace${below}`) };
}

/** True when it is there; from now on it counts as used just now. */
async function touch(folder: string): Promise<boolean> {
  try {
    const now = new Date();
    await fs.utimes(folder, now, now);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

const mirrorOf = (url: string, { blobs }: Pick<CheckoutsOptions, 'blobs'>) =>
  blobs.locate(`${mirrorsRoot}/${nameOfRepository(url)}`);

async function ensureMirror(url: string, options: CheckoutsOptions): Promise<string> {
  const { git } = options;
  const mirror = mirrorOf(url, options);
  if (await touch(mirror)) return mirror;
  const draft = path.join(path.dirname(mirror), `${draftPrefix}${crypto.randomUUID()}`);
  await fs.mkdir(draft, { recursive: true, mode: 0o700 });
  const args = ['init', '--quiet', '--bare', '--template=', '--', draft];
  const result = await git.run({ args, cwd: draft, timeoutMs: localTimeoutMs });
  if (result.exitCode !== 0)
    throw new GitProblem('unreachable', `git cannot be used: ${result.endedBecause ?? result.errors.trim()}`);
  await placeDraft(draft, mirror);
  return mirror;
}

async function placeDraft(draft: string, target: string): Promise<void> {
  try {
    await fs.rename(draft, target);
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    await removeTree(draft);
    // Another was faster, with the same content.
    if (code !== 'EEXIST' && code !== 'ENOTEMPTY') throw error;
  }
}

async function findCommit(git: Git, mirror: string, name: string): Promise<string | null> {
  const args = [
    '--git-dir',
    mirror,
    'rev-parse',
    '--verify',
    '--quiet',
    '--end-of-options',
    `${name}^{commit}`,
  ];
  const { output, exitCode } = await git.run({ args, cwd: mirror, timeoutMs: localTimeoutMs });
  const commit = output.toString('utf8').trim();
  return exitCode === 0 && isWholeCommit(commit) ? commit : null;
}

async function makeCheckout(
  remote: Remote,
  { commit, folder }: Checkout,
  {
    git,
    mirror,
    limits,
    cone,
  }: {
    readonly git: Git;
    readonly mirror: string;
    readonly limits: CheckoutLimits;
    readonly cone: Cone | null;
  },
): Promise<void> {
  const url = remote.url.text;
  const run = async (
    args: readonly string[],
    more: { cwd?: string; environment?: Record<string, string>; input?: string } = {},
  ) => {
    const result = await git.run({
      args: ['--git-dir', mirror, ...args],
      cwd: mirror,
      timeoutMs: localTimeoutMs,
      ...more,
    });
    if (result.exitCode === 0 && result.endedBecause === null) return result.output;
    const reason = result.endedBecause ?? result.errors.trim().split('\n').at(-1);
    throw new GitProblem('refused', `commit ${commit} of ${url} cannot be checked out: ${reason}`);
  };
  const listing = await run(['ls-tree', '-r', '-z', '-l', '--full-tree', commit]);
  const entries = readTree(listing).filter(({ name }) => cone === null || isInCone(name, cone));
  refuseTree(entries, { url, commit, limits });
  const draft = path.join(path.dirname(folder), `${draftPrefix}${crypto.randomUUID()}`);
  await fs.mkdir(draft, { recursive: true });
  const index = path.join(path.dirname(folder), `${path.basename(draft)}.index`);
  try {
    const environment = { GIT_INDEX_FILE: index, GIT_WORK_TREE: draft };
    await run(['read-tree', '--no-recurse-submodules', commit], { environment });
    const all = { args: ['--all'] };
    const some = { args: ['-z', '--stdin'], input: entries.map(({ name }) => `${name}\0`).join('') };
    const { args, ...input } = cone === null ? all : some;
    await run(['checkout-index', '--quiet', ...args], { cwd: draft, environment, ...input });
    const note = await findPointers(draft, entries);
    if (note !== null) await keepNote(mirror, path.basename(folder), note);
    await makeReadOnly(draft);
    await placeDraft(draft, folder);
  } finally {
    await fs.rm(index, { force: true });
    await removeTree(draft);
  }
}

/** Files alone: what is a commit of another repository is not checked out. */
function readTree(listing: Buffer): TreeEntry[] {
  return listing
    .toString('utf8')
    .split('\0')
    .filter((entry) => entry !== '')
    .map((entry) => {
      const at = entry.indexOf('\t');
      const [, , , size = ''] = entry.slice(0, at).trim().split(/\s+/);
      return { name: entry.slice(at + 1), sizeBytes: Number(size) || 0 };
    });
}

/** Before anything is written. */
function refuseTree(
  entries: readonly TreeEntry[],
  { url, commit, limits }: { readonly url: string; readonly commit: string; readonly limits: CheckoutLimits },
): void {
  const refuse = (reason: string) =>
    new GitProblem('refused', `commit ${commit} of ${url} cannot be checked out: ${reason}`);
  if (entries.length > limits.filesMax)
    throw refuse(`it has ${entries.length} files, and the limit is ${limits.filesMax}`);
  let bytes = 0;
  for (const { name, sizeBytes } of entries) {
    bytes += sizeBytes;
    if (!isPlainPath(name)) throw refuse(`it has a file named ${JSON.stringify(name.slice(0, 200))}`);
  }
  if (bytes > limits.bytesMax) throw refuse(`it has ${bytes} bytes, and the limit is ${limits.bytesMax}`);
}

/** Git itself refuses these too; two locks are better where the key lies outside. */
function isPlainPath(file: string): boolean {
  return (
    !file.startsWith('/') &&
    file
      .split('/')
      .every((part) => part !== '' && part !== '.' && part !== '..' && part.toLowerCase() !== '.git')
  );
}
