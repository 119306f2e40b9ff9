// .gitignore as Git reads it: each file speaks for its folder and below, the deepest has the last word, `!` brings back.
// Those above the bundle folder count too, up to the root of the repository.

import { lstat, readFile } from 'node:fs/promises';
import path from 'node:path';
import ignore, { type Ignore } from 'ignore';
import { isMissing } from './describe-file.ts';

/** Folders on the way up to a repository; deeper trees than that are loops of mounts. */
const LEVELS_MAX = 64;

export interface IgnoreRules {
  /** Absolute. */
  readonly folder: string;
  readonly matcher: Ignore;
}

/** The folder that holds `.git`; null outside of repositories. */
export async function findGitRoot(folder: string): Promise<string | null> {
  let current = folder;
  for (let level = 0; level < LEVELS_MAX; level += 1) {
    if (await exists(path.join(current, '.git'))) return current;
    const parent = path.dirname(current);
    if (parent === current) return null;
    current = parent;
  }
  return null;
}

/** What the folders above say, from the repository's root on. */
export async function readRulesAbove(
  folder: string,
  gitRoot: string | null,
): Promise<readonly IgnoreRules[]> {
  if (gitRoot === null || gitRoot === folder) return [];
  const below = path.relative(gitRoot, folder).split(path.sep);
  let rules: readonly IgnoreRules[] = [];
  for (const [depth] of below.entries()) {
    rules = await withRulesOf(path.join(gitRoot, ...below.slice(0, depth)), rules);
  }
  // Whoever deploys a folder that its repository ignores wants its files all the same.
  return isIgnored(rules, folder, { isFolder: true }) ? [] : rules;
}

export async function withRulesOf(
  folder: string,
  rules: readonly IgnoreRules[],
): Promise<readonly IgnoreRules[]> {
  const file = path.join(folder, '.gitignore');
  try {
    return [...rules, { folder, matcher: ignore().add(await readFile(file, 'utf8')) }];
  } catch (error) {
    // A folder of that name holds no rules.
    if (isMissing(error) || (error instanceof Error && 'code' in error && error.code === 'EISDIR'))
      return rules;
    throw new Error(`cannot read ${file}`, { cause: error });
  }
}

export function isIgnored(
  rules: readonly IgnoreRules[],
  absolute: string,
  { isFolder }: { isFolder: boolean },
): boolean {
  for (const { folder, matcher } of rules.toReversed()) {
    const relative = path.relative(folder, absolute).split(path.sep).join('/');
    const verdict = matcher.test(isFolder ? `${relative}/` : relative);
    if (verdict.ignored) return true;
    if (verdict.unignored) return false;
  }
  return false;
}

async function exists(file: string): Promise<boolean> {
  try {
    await lstat(file);
    return true;
  } catch {
    return false; // Not to be seen is the same as not there: the walk goes on upwards.
  }
}
