/**
 * Checkouts by commit, each made once, shared by all runs, never changed: files without write permission, appearing
 * whole under their name. Behind them a bare mirror for each repository, so that a new commit costs only what is new.
 *
 *   git/<repository>                                        the mirror
 *   workspace/Repos/.internal/<repository>_commits/<commit>  a checkout, where tasks find it
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
import { makeReadOnly, measureFolder, removeTree } from './read-only-tree.ts';
import type { Git } from './run-git.ts';

export interface Checkout {
  readonly commit: string;
  /** Of the workspace: `/Repos/.internal/…`. */
  readonly path: string;
  /** On this machine. */
  readonly folder: string;
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
  ensure(remote: Remote, commit: string): Promise<Checkout>;
}

export function createCheckouts(options: CheckoutsOptions): Checkouts {
  const limits = { ...defaultLimits, ...options.limits };
  const making = new Map<string, Promise<Checkout>>();

  async function ensure(remote: Remote, commit: string): Promise<Checkout> {
    if (!isWholeCommit(commit)) throw new GitProblem('refused', `${commit} is no whole commit id`);
    const checkout = placeOf(remote.url.text, commit, options.blobs);
    if (await touch(checkout.folder)) return checkout;
    const mirror = await ensureMirror(remote.url.text, options);
    await ensureCommit(remote, commit, mirror);
    await makeCheckout(remote, checkout, { git: options.git, mirror, limits });
    return checkout;
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
    ensure(remote, commit) {
      const key = `${remote.url.text} ${commit}`;
      const running = making.get(key) ?? ensure(remote, commit).finally(() => making.delete(key));
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

function placeOf(url: string, commit: string, blobs: Pick<BlobStore, 'locate'>): Checkout {
  const below = `${internalFolder}/${nameOfRepository(url)}_commits/${commit}`;
  return { commit, path: below, folder: blobs.locate(`workspace${below}`) };
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

async function ensureMirror(url: string, { git, blobs }: CheckoutsOptions): Promise<string> {
  const mirror = blobs.locate(`${mirrorsRoot}/${nameOfRepository(url)}`);
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
  { git, mirror, limits }: { readonly git: Git; readonly mirror: string; readonly limits: CheckoutLimits },
): Promise<void> {
  const url = remote.url.text;
  const run = async (
    args: readonly string[],
    more: { cwd?: string; environment?: Record<string, string> } = {},
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
  refuseTree(await run(['ls-tree', '-r', '-z', '-l', '--full-tree', commit]), { url, commit, limits });
  const draft = path.join(path.dirname(folder), `${draftPrefix}${crypto.randomUUID()}`);
  await fs.mkdir(draft, { recursive: true });
  const index = path.join(path.dirname(folder), `${path.basename(draft)}.index`);
  try {
    const environment = { GIT_INDEX_FILE: index, GIT_WORK_TREE: draft };
    await run(['read-tree', '--no-recurse-submodules', commit], { environment });
    await run(['checkout-index', '--all', '--quiet'], { cwd: draft, environment });
    await makeReadOnly(draft);
    await placeDraft(draft, folder);
  } finally {
    await fs.rm(index, { force: true });
    await removeTree(draft);
  }
}

/** Before anything is written. */
function refuseTree(
  listing: Buffer,
  { url, commit, limits }: { readonly url: string; readonly commit: string; readonly limits: CheckoutLimits },
): void {
  const entries = listing
    .toString('utf8')
    .split('\0')
    .filter((entry) => entry !== '');
  const refuse = (reason: string) =>
    new GitProblem('refused', `commit ${commit} of ${url} cannot be checked out: ${reason}`);
  if (entries.length > limits.filesMax)
    throw refuse(`it has ${entries.length} files, and the limit is ${limits.filesMax}`);
  let bytes = 0;
  for (const entry of entries) {
    const [facts = '', file = ''] = entry.split('\t');
    bytes += Number(facts.trim().split(/\s+/)[3]) || 0;
    if (!isPlainPath(file)) throw refuse(`it has a file named ${JSON.stringify(file.slice(0, 200))}`);
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
