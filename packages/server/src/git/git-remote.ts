/** Asking a repository elsewhere: what a branch or tag is now, and its objects. Network errors that pass are sat out. */
import dns from 'node:dns/promises';
import net from 'node:net';
import { GitProblem, isTransient, toGitProblem } from './git-problem.ts';
import { describeReference, type GitReference } from './git-reference.ts';
import { type GitUrl, isOwnAddress } from './git-url.ts';
import type { Git, GitRequest, GitResult } from './run-git.ts';

/** For the Git server; null where it needs none, or nobody has kept one. */
export interface GitLogin {
  readonly user: string;
  readonly token: string;
}

export interface Remote {
  readonly url: GitUrl;
  readonly login: GitLogin | null;
}

export interface RemoteOptions {
  readonly git: Git;
  /** A bare repository of ours: git must not find another around it. */
  readonly mirror: string;
  /** Names of this machine may be used, as tests do. */
  readonly isLocalAllowed: boolean;
  /** A proxy looks names up itself, and is where addresses are refused. */
  readonly hasProxy: boolean;
}

export interface Resolved {
  /** Null for an abbreviated commit: only the fetched repository knows it. */
  readonly commit: string | null;
  readonly branch: string | null;
}

const askTimeoutMs = 60_000;
const fetchTimeoutMs = 600_000;
const triesMax = 3;
const retryAfterMs = 1_000;

/** Also the proof that this login may read the repository, whatever is cached. */
export async function resolveReference(
  remote: Remote,
  reference: GitReference,
  options: RemoteOptions,
): Promise<Resolved> {
  const patterns = { branch: 'refs/heads/', tag: 'refs/tags/' } as const;
  const wanted =
    reference.kind === 'branch' || reference.kind === 'tag'
      ? [patterns[reference.kind] + reference.name]
      : [];
  // The pattern of a tag does not match the commit that an annotated one points to.
  const peeled = reference.kind === 'tag' ? wanted.map((name) => `${name}^{}`) : [];
  const args = ['ls-remote', '--symref', '--', remote.url.text, 'HEAD', ...wanted, ...peeled];
  const { output } = await askRemote(remote, { args, timeoutMs: askTimeoutMs }, options);
  const { references, headBranch } = readAnswer(output.toString('utf8'));
  if (reference.kind === 'commit') {
    return { commit: reference.name.length >= 40 ? reference.name : null, branch: null };
  }
  const commit =
    reference.kind === 'default'
      ? references.get('HEAD')
      : (references.get(peeled[0] ?? '') ?? references.get(wanted[0] ?? ''));
  if (commit === undefined) {
    const what =
      reference.kind === 'default' ? 'has no commit yet' : `has no ${describeReference(reference)}`;
    throw new GitProblem('not_found', `${remote.url.text} ${what}`);
  }
  const branch = { branch: wanted[0]?.slice(patterns.branch.length) ?? null, default: headBranch, tag: null };
  return { commit, branch: branch[reference.kind] };
}

/** Brings a commit into the mirror. A server that gives only what it advertises is asked for all of that. */
export async function fetchCommit(
  remote: Remote,
  commit: string,
  options: RemoteOptions & Pick<GitRequest, 'watch'>,
): Promise<void> {
  const { watch } = options;
  const request = { timeoutMs: fetchTimeoutMs, ...(watch ? { watch } : {}) };
  const fetch = [
    'fetch',
    '--quiet',
    '--no-tags',
    '--no-write-fetch-head',
    '--no-auto-maintenance',
    '--no-recurse-submodules',
  ];
  const isWhole = commit.length >= 40;
  if (isWhole) {
    // A name of its own for each commit: two processes that fetch do not wait for each other.
    const args = [...fetch, '--', remote.url.text, `+${commit}:refs/commits/${commit}`];
    const result = await tryRemote(remote, { ...request, args }, options);
    if (result.exitCode === 0) return;
    if (!/not our ref|unadvertised object|couldn't find remote ref|remote error/i.test(result.errors))
      throw toGitProblem(remote.url.text, result);
  }
  const all = ['+refs/heads/*:refs/all/heads/*', '+refs/tags/*:refs/all/tags/*'];
  await askRemote(remote, { ...request, args: [...fetch, '--', remote.url.text, ...all] }, options);
}

async function askRemote(
  remote: Remote,
  request: Omit<GitRequest, 'cwd'>,
  options: RemoteOptions,
): Promise<GitResult> {
  const result = await tryRemote(remote, request, options);
  if (result.exitCode !== 0 || result.endedBecause !== null) throw toGitProblem(remote.url.text, result);
  return result;
}

async function tryRemote(
  remote: Remote,
  request: Omit<GitRequest, 'cwd'>,
  options: RemoteOptions,
): Promise<GitResult> {
  const config = { ...(await pinAddress(remote.url, options)), ...loginConfig(remote.login) };
  for (let tries = 1; ; tries++) {
    const result = await options.git.run({
      ...request,
      args: ['--git-dir', options.mirror, ...request.args],
      cwd: options.mirror,
      config,
    });
    if (result.exitCode === 0 || tries === triesMax || !isTransient(result)) return result;
    await new Promise((resolve) => setTimeout(resolve, retryAfterMs * tries));
  }
}

function loginConfig(login: GitLogin | null): Record<string, string> {
  if (login === null) return {};
  const basic = Buffer.from(`${login.user}:${login.token}`).toString('base64');
  return { 'http.extraHeader': `Authorization: Basic ${basic}` };
}

/** Looked up once, checked, and used as checked: a name cannot point elsewhere a moment later. */
async function pinAddress(
  { protocol, host, port }: GitUrl,
  options: RemoteOptions,
): Promise<Record<string, string>> {
  const isLookedUp = protocol !== 'file' && net.isIP(host) === 0;
  if (options.isLocalAllowed || options.hasProxy || !isLookedUp) return {};
  const found = await dns.lookup(host, { all: true }).catch(() => []);
  const addresses = found.map(({ address }) => address);
  const own = addresses.find(isOwnAddress);
  if (own !== undefined)
    throw new GitProblem(
      'refused',
      `${host} is ${own}, an address of the server's own machine or network link`,
    );
  // Without an address git says itself that the host is unknown.
  return addresses.length === 0 ? {} : { 'http.curloptResolve': `${host}:${port}:${addresses.join(',')}` };
}

function readAnswer(text: string): { references: ReadonlyMap<string, string>; headBranch: string | null } {
  const references = new Map<string, string>();
  let headBranch: string | null = null;
  for (const line of text.split('\n')) {
    const [left = '', name = ''] = line.split('\t');
    const symbolic = /^ref: refs\/heads\/(.+)$/.exec(left)?.[1];
    if (symbolic !== undefined && name === 'HEAD') headBranch = symbolic;
    else if (/^[0-9a-f]{40,64}$/.test(left)) references.set(name, left);
  }
  return { references, headBranch };
}
