/**
 * Which repositories may be named. A URL becomes an argument of git and the address of a request that this machine
 * makes, so only forms that can be neither an option nor a command of a transport pass, and no address of this machine.
 */
import net from 'node:net';
import type { GitProviderName } from '@headrace/api';

export const gitProtocols = ['https', 'http', 'ssh', 'file'] as const;
export type GitProtocol = (typeof gitProtocols)[number];

export interface GitUrl {
  readonly text: string;
  readonly protocol: GitProtocol;
  /** Lower case, without a port; empty for files of this machine. */
  readonly host: string;
  readonly port: number;
}

export type ParsedGitUrl = GitUrl | { readonly problem: string };

/** Characters that no URL needs and that mean something to a shell, a log or a configuration file. */
const forbidden = /[\s\p{Cc}"'`\\<>^{}|]/u;
const scpLike = /^([\w.-]+)@([\w.-]+):(?!\/\/)([^:]+)$/;

export function parseGitUrl(text: string, allowed: readonly GitProtocol[]): ParsedGitUrl {
  const parsed = readUrl(text);
  if ('problem' in parsed) return parsed;
  if (!allowed.includes(parsed.protocol)) {
    const names = allowed.map((name) => `${name}://`).join(', ');
    return {
      problem: `${parsed.protocol}:// is not allowed on this server (HEADRACE_GIT_PROTOCOLS); allowed: ${names}`,
    };
  }
  const isLocalAllowed = allowed.includes('file') || allowed.includes('http');
  if (parsed.protocol !== 'file' && !isLocalAllowed && isOwnAddress(parsed.host))
    return { problem: `${parsed.host} is an address of the server's own machine or network link` };
  return parsed;
}

function readUrl(text: string): ParsedGitUrl {
  if (forbidden.test(text))
    return { problem: 'is no URL of a Git repository: it has a character that none has' };
  const scp = scpLike.exec(text);
  if (scp && !text.startsWith('-')) return readUrl(`ssh://${scp[1]}@${scp[2]}/${scp[3]}`);
  const protocol = gitProtocols.find((name) => text.startsWith(`${name}://`));
  const url = protocol && URL.canParse(text) ? new URL(text) : null;
  if (!protocol || !url) return { problem: 'is no URL of a Git repository; write https://<host>/<path>' };
  // Anywhere: programs differ in what they take for the end of a host.
  if (url.password !== '' || (protocol !== 'ssh' && text.includes('@'))) {
    return {
      problem:
        'holds a user or a token; keep those with the git-credentials API, and write the URL without them',
    };
  }
  if (url.search !== '' || url.hash !== '')
    return { problem: 'has a query or a fragment, which no repository has' };
  if (protocol === 'file') {
    const isPlain = url.hostname === '' && url.pathname.length > 1;
    return isPlain
      ? { text, protocol, host: '', port: 0 }
      : { problem: 'names no absolute path: write file:///<path>' };
  }
  // A host or user that begins with a dash would be an option of ssh.
  if (!/^[\w[]/.test(url.hostname) || !/^(\w[\w.+-]*)?$/.test(url.username) || url.pathname.length < 2)
    return { problem: `is no URL of a Git repository; write ${protocol}://<host>/<path>` };
  return { text, protocol, host: hostOf(url), port: portOf(url, protocol) };
}

function hostOf(url: URL): string {
  return url.hostname
    .toLowerCase()
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '');
}

function portOf(url: URL, protocol: GitProtocol): number {
  if (url.port !== '') return Number(url.port);
  return { https: 443, http: 80, ssh: 22, file: 0 }[protocol];
}

const ownAddresses = new net.BlockList();
for (const [address, prefix] of [
  ['0.0.0.0', 8],
  ['127.0.0.0', 8],
  // Link-local: the metadata services of clouds, which hand out credentials, answer there.
  ['169.254.0.0', 16],
  ['224.0.0.0', 3],
] as const) {
  ownAddresses.addSubnet(address, prefix, 'ipv4');
}
for (const [address, prefix] of [
  ['::', 127],
  ['fe80::', 10],
  ['ff00::', 8],
  ['fd00:ec2::', 32],
] as const) {
  ownAddresses.addSubnet(address, prefix, 'ipv6');
}

/** Of a host as it is written, or of an address that it resolved to. Private networks are not this machine. */
export function isOwnAddress(host: string): boolean {
  if (host === 'localhost' || host.endsWith('.localhost')) return true;
  const version = net.isIP(host);
  if (version === 4) return ownAddresses.check(host, 'ipv4');
  // A list of IPv4 subnets holds their mapped addresses too.
  return version === 6 && ownAddresses.check(host, 'ipv6');
}

/** Where tokens of these providers go; the others are on hosts that only their owners know. */
const providerHosts: Partial<Record<GitProviderName, RegExp>> = {
  gitHub: /(^|\.)github\.com$/,
  gitLab: /(^|\.)gitlab\.com$/,
  bitbucketCloud: /(^|\.)bitbucket\.org$/,
  azureDevOpsServices: /(^|\.)(dev\.azure\.com|visualstudio\.com)$/,
  awsCodeCommit: /^git-codecommit\.[a-z0-9-]+\.amazonaws\.com$/,
};

/** Whoever may write a job's URL must not learn the token of whom the job runs as. */
export function mayReceiveToken({ protocol, host }: GitUrl, provider: GitProviderName): boolean {
  return (protocol === 'https' || protocol === 'http') && (providerHosts[provider]?.test(host) ?? true);
}
