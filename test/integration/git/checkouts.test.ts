/** Checkouts by commit: what the program git does for us, and what it must not do. */
import { execFile, execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Checkouts, createCheckouts } from '../../../packages/server/src/git/checkouts.ts';
import { parseGitUrl } from '../../../packages/server/src/git/git-url.ts';
import { createGit } from '../../../packages/server/src/git/run-git.ts';
import { hasGit, makeRepository, type Repository } from './support.ts';

let repository: Repository;
let root: string;
beforeEach(() => {
  repository = makeRepository();
  root = fs.mkdtempSync(path.join(os.tmpdir(), 'headrace-checkouts-'));
});
afterEach(() => {
  repository.remove();
  execFileSync('chmod', ['-R', 'u+w', root]);
  fs.rmSync(root, { recursive: true });
});

function open(limits: Parameters<typeof createCheckouts>[0]['limits'] = {}): Checkouts {
  const git = createGit({ protocols: ['https', 'file'], environment: process.env });
  const blobs = { locate: (key: string) => path.join(root, key) };
  return createCheckouts({ blobs, git, limits, isLocalAllowed: true, hasProxy: false });
}

function remoteOf(text: string) {
  const url = parseGitUrl(text, ['https', 'file']);
  if ('problem' in url) throw new Error(url.problem);
  return { url, login: null };
}

describe.skipIf(!hasGit)('checkouts', () => {
  test('a branch, a tag, the default branch and a short commit each lead to one commit', async () => {
    const first = repository.commit({ 'a.py': '1' });
    repository.tag('v1', first);
    const second = repository.commit({ 'a.py': '2' });
    const other = repository.commit({ 'b.py': '3' }, 'feature/x');
    const checkouts = open();
    const remote = remoteOf(repository.url);

    const resolve = async (reference: Parameters<Checkouts['resolve']>[1]) =>
      checkouts.resolve(remote, reference);
    expect(await resolve({ kind: 'branch', name: 'main' })).toEqual({ commit: second, branch: 'main' });
    expect(await resolve({ kind: 'branch', name: 'feature/x' })).toMatchObject({ commit: other });
    expect(await resolve({ kind: 'tag', name: 'v1' })).toEqual({ commit: first, branch: null });
    expect(await resolve({ kind: 'default' })).toEqual({ commit: second, branch: 'main' });
    expect(await resolve({ kind: 'commit', name: first.slice(0, 10) })).toMatchObject({ commit: first });
    await expect(resolve({ kind: 'branch', name: 'nope' })).rejects.toThrow(
      `${repository.url} has no branch nope`,
    );
    await expect(resolve({ kind: 'tag', name: 'main' })).rejects.toThrow('has no tag main');
    // The end of a name is no name.
    await expect(resolve({ kind: 'branch', name: 'x' })).rejects.toThrow('has no branch x');
  });

  test('a checkout has the files of its commit, without write permission, and no trace of git', async () => {
    const first = repository.commit({ 'a.py': 'one', 'sub/b.txt': 'two' });
    repository.commit({ 'a.py': 'later' });

    const { folder } = await open().ensure(remoteOf(repository.url), first);

    expect(fs.readFileSync(path.join(folder, 'a.py'), 'utf8')).toBe('one');
    expect(fs.readdirSync(folder).sort()).toEqual(['a.py', 'sub']);
    expect(fs.statSync(path.join(folder, 'sub')).mode & 0o222).toBe(0);
    expect(fs.statSync(path.join(folder, 'sub/b.txt')).mode & 0o777).toBe(0o444);
    expect(fs.readdirSync(path.dirname(folder))).toEqual([first]);
  });

  test('many at once, in processes of their own too, make one checkout and leave no draft', async () => {
    const commit = repository.commit({ 'a.py': 'x'.repeat(1000) });
    const program = path.join(import.meta.dirname, 'check-out.ts');
    const args = ['--conditions=source', program, root, repository.url, commit];
    const inProcess = async () => (await promisify(execFile)(process.execPath, args)).stdout.trim();
    const here = async () => (await open().ensure(remoteOf(repository.url), commit)).folder;

    const made = await Promise.all([inProcess(), inProcess(), inProcess(), here(), here()]);

    expect(new Set(made).size).toBe(1);
    expect(fs.readdirSync(path.dirname(made[0] ?? ''))).toEqual([commit]);
    expect(fs.readdirSync(path.join(root, 'git')).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  test('a commit that is here costs no look at the repository', async () => {
    const commit = repository.commit({ 'a.py': '1' });
    const remote = remoteOf(repository.url);
    await open().ensure(remote, commit);
    repository.remove();

    await expect(open().ensure(remote, commit)).resolves.toMatchObject({ commit });
  });

  test('a server that gives only what it advertises is asked for all of that', async () => {
    const first = repository.commit({ 'a.py': '1' });
    repository.commit({ 'a.py': '2' });
    fs.appendFileSync(path.join(repository.folder, 'config'), '\n[protocol]\n\tversion = 0\n');

    const { folder } = await open().ensure(remoteOf(repository.url), first);

    expect(fs.readFileSync(path.join(folder, 'a.py'), 'utf8')).toBe('1');
    await expect(open().ensure(remoteOf(repository.url), 'f'.repeat(40))).rejects.toThrow(
      `has no commit ${'f'.repeat(40)}`,
    );
  });

  test('links are files that hold their target, wherever they lead', async () => {
    fs.symlinkSync('/etc/passwd', path.join(path.dirname(repository.folder), 'work/out'));
    fs.symlinkSync('../../..', path.join(path.dirname(repository.folder), 'work/up'));
    const commit = repository.commit({ 'a.py': '1' });

    const { folder } = await open().ensure(remoteOf(repository.url), commit);

    expect(fs.lstatSync(path.join(folder, 'out')).isSymbolicLink()).toBe(false);
    expect(fs.readFileSync(path.join(folder, 'out'), 'utf8')).toBe('/etc/passwd');
    expect(fs.readFileSync(path.join(folder, 'up'), 'utf8')).toBe('../../..');
  });

  test('hooks, filters and submodules of a repository do nothing', async () => {
    const trap = path.join(root, 'trapped');
    const commit = repository.commit({
      '.gitattributes': '* filter=trap diff=trap\n*.py ident\n',
      '.gitmodules': `[submodule "s"]\n\tpath = s\n\turl = ext::sh -c touch% ${trap}\n`,
      '.gitconfig': `[filter "trap"]\n\tsmudge = touch ${trap}\n`,
      'a.py': '1',
    });
    for (const hook of ['post-checkout', 'pre-receive', 'reference-transaction', 'post-update']) {
      fs.writeFileSync(path.join(repository.folder, 'hooks', hook), `#!/bin/sh\ntouch ${trap}\n`, {
        mode: 0o755,
      });
    }
    fs.appendFileSync(
      path.join(repository.folder, 'config'),
      `\n[filter "trap"]\n\tsmudge = touch ${trap}\n[core]\n\tfsmonitor = touch ${trap}\n[uploadpack]\n\tpackObjectsHook = touch ${trap}\n`,
    );

    const { folder } = await open().ensure(remoteOf(repository.url), commit);

    expect(fs.readFileSync(path.join(folder, 'a.py'), 'utf8')).toBe('1');
    expect(fs.existsSync(trap)).toBe(false);
  });

  test.each([
    ['a way out', '../out'],
    ['a folder of git', '.git/hooks'],
    ['a folder of git in other letters', '.GIT/config'],
    ['an empty name', ''],
  ])('a commit with %s as a file name is refused before anything is written', async (_what, name) => {
    repository.commit({ 'a.py': '1' });
    const commit = forgeCommit(repository, name);

    await expect(open().ensure(remoteOf(repository.url), commit)).rejects.toThrow(
      /cannot be checked out|could not be read/,
    );
    expect(fs.existsSync(path.join(root, 'workspace/Repos/.internal/out'))).toBe(false);
    const below = path.join(root, 'workspace/Repos/.internal');
    const left = fs.existsSync(below) ? fs.readdirSync(below, { recursive: true }) : [];
    expect(left.filter((entry) => !String(entry).endsWith('_commits'))).toEqual([]);
  });

  test('a repository beyond the limits is refused with the limit', async () => {
    const commit = repository.commit({ 'a.py': '1'.repeat(2000), 'b.py': '2' });

    await expect(open({ filesMax: 1 }).ensure(remoteOf(repository.url), commit)).rejects.toThrow(
      'it has 2 files, and the limit is 1',
    );
    await expect(open({ bytesMax: 1000 }).ensure(remoteOf(repository.url), commit)).rejects.toThrow(
      'it has 2001 bytes',
    );
  });

  test('what is no repository is named', async () => {
    await expect(open().resolve(remoteOf('file:///nowhere/x.git'), { kind: 'default' })).rejects.toThrow(
      'file:///nowhere/x.git does not exist, or is not shown to this user',
    );
  });

  test('no text that passes as a URL makes git run or read anything else', async () => {
    const trap = path.join(root, 'trapped');
    const pieces = fc.constantFrom(
      ...[
        'ext::',
        'file://',
        'https://',
        'ssh://',
        '-u',
        '--upload-pack=',
        `touch ${trap}`,
        `touch%20${trap}`,
      ],
      ...[
        'git@',
        ':',
        '/',
        '..',
        '$(',
        '`',
        ';',
        '\n',
        '@',
        '-oProxyCommand=',
        'fd::',
        'transport::',
        repository.folder,
      ],
    );
    const checkouts = open();

    await fc.assert(
      fc.asyncProperty(fc.array(pieces, { minLength: 1, maxLength: 6 }), async (parts) => {
        const url = parseGitUrl(parts.join(''), ['file']);
        if (!('problem' in url))
          await checkouts.resolve({ url, login: null }, { kind: 'default' }).catch(() => undefined);
        expect(fs.existsSync(trap)).toBe(false);
      }),
      { numRuns: 150, examples: [[['ext::', `touch ${trap}`]], [['--upload-pack=', `touch ${trap}`]]] },
    );
  });
});

/** Git's own commands refuse to make such a tree, so its bytes are written by hand. */
function forgeCommit({ folder }: Repository, name: string): string {
  const env = {
    ...process.env,
    GIT_AUTHOR_NAME: 'a',
    GIT_AUTHOR_EMAIL: 'a@b',
    GIT_COMMITTER_NAME: 'a',
    GIT_COMMITTER_EMAIL: 'a@b',
  };
  const git = (args: readonly string[], input: Buffer | string) =>
    execFileSync('git', args, { cwd: folder, env, input, encoding: 'utf8' }).trim();
  const blob = git(['hash-object', '-w', '--stdin'], 'evil');
  const parts = name.split('/');
  let entry = { mode: '100644', hash: blob };
  for (const part of parts.reverse()) {
    const tree = Buffer.concat([Buffer.from(`${entry.mode} ${part}\0`), Buffer.from(entry.hash, 'hex')]);
    entry = { mode: '40000', hash: git(['hash-object', '-w', '--literally', '-t', 'tree', '--stdin'], tree) };
  }
  const commit = git(['commit-tree', entry.hash, '-m', 'x'], '');
  git(['update-ref', 'refs/heads/evil', commit], '');
  return commit;
}
