/** Repositories made with the system's git, and a server that may read them from files of this machine. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Config } from '../../../packages/server/src/config.ts';

export const hasGit = (() => {
  try {
    execFileSync('git', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    console.warn('SKIPPED: the tests of Git need the program git, and this machine has none');
    return false;
  }
})();

export const localGit: Pick<Config, 'gitProtocols'> = { gitProtocols: ['https', 'http', 'file'] };

export interface Repository {
  /** Bare. */
  readonly folder: string;
  readonly url: string;
  /** Writes files (null removes one) and commits them; gives the commit. */
  commit(files: Readonly<Record<string, string | null>>, branch?: string): string;
  tag(name: string, commit: string): void;
  git(...args: string[]): string;
  remove(): void;
}

const identity = {
  GIT_AUTHOR_NAME: 'a',
  GIT_AUTHOR_EMAIL: 'a@b',
  GIT_COMMITTER_NAME: 'a',
  GIT_COMMITTER_EMAIL: 'a@b',
};

export function makeRepository(name = 'pipelines'): Repository {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'headrace-git-'));
  const folder = path.join(root, `${name}.git`);
  const work = path.join(root, 'work');
  const environment = {
    ...process.env,
    ...identity,
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_NOSYSTEM: '1',
  };
  const run = (cwd: string, args: readonly string[]) =>
    execFileSync('git', args, {
      cwd,
      env: environment,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    }).trim();
  run(root, ['init', '--quiet', '--bare', '--initial-branch=main', folder]);
  run(root, ['clone', '--quiet', folder, work]);
  return {
    folder,
    url: `file://${folder}`,
    commit(files, branch = 'main') {
      const isKnown = run(work, ['branch', '--list', branch]) !== '';
      const isFirst = run(work, ['branch', '--list']) === '';
      if (isFirst) run(work, ['symbolic-ref', 'HEAD', `refs/heads/${branch}`]);
      else run(work, ['checkout', '--quiet', ...(isKnown ? [] : ['-b']), branch]);
      for (const [file, text] of Object.entries(files)) {
        const target = path.join(work, file);
        if (text === null) fs.rmSync(target, { recursive: true });
        else {
          fs.mkdirSync(path.dirname(target), { recursive: true });
          fs.writeFileSync(target, text);
        }
      }
      run(work, ['add', '--all']);
      run(work, ['commit', '--quiet', '--allow-empty', '-m', 'x']);
      run(work, ['push', '--quiet', 'origin', branch]);
      return run(work, ['rev-parse', 'HEAD']);
    },
    tag(tagName, commit) {
      run(folder, ['tag', '-a', '-m', 'x', tagName, commit]);
    },
    git: (...args) => run(work, args),
    remove: () => fs.rmSync(root, { recursive: true, force: true }),
  };
}
