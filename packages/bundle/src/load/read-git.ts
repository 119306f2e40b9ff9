// What the repository around a bundle folder says of it, asked of the machine's own git.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { GitFacts } from '../resolve/resolved-bundle.ts';

/** A repository on a dead network drive must not hold a command up. */
const TIMEOUT_MS = 10_000;

export async function readGit(folder: string): Promise<GitFacts> {
  const [branch, commit, originUrl] = await Promise.all([
    ask(folder, ['rev-parse', '--abbrev-ref', 'HEAD']),
    ask(folder, ['rev-parse', 'HEAD']),
    ask(folder, ['remote', 'get-url', 'origin']),
  ]);
  return {
    // So git names a detached head.
    branch: branch === 'HEAD' ? null : branch,
    commit,
    originUrl: originUrl === null ? null : withoutCredentials(originUrl),
  };
}

async function ask(folder: string, command: readonly string[]): Promise<string | null> {
  try {
    const { stdout } = await promisify(execFile)('git', ['-C', folder, ...command], { timeout: TIMEOUT_MS });
    return stdout.trim() || null;
  } catch {
    return null; // No Git, no repository, no commit or no such remote: there is nothing to say.
  }
}

/** CI puts tokens into the address; they must not get into jobs and state files. */
function withoutCredentials(url: string): string {
  return url.replace(/^(\w+:\/\/)[^/@]*@/, '$1');
}
