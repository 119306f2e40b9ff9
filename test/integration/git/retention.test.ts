import fs from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkoutsKeptMs, createGitRetentionLoop } from '../../../packages/server/src/git/retention-loop.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { hasGit, localGit, makeRepository, type Repository } from './support.ts';

describe.skipIf(!hasGit)('retention of checkouts', () => {
  let server: TestServer;
  let repository: Repository;

  beforeAll(async () => {
    server = await startTestServer({ backend: null, config: localGit });
    repository = makeRepository();
  });
  afterAll(async () => {
    repository.remove();
    await server.dispose();
  });

  async function runAndCheckOut(more: object = {}) {
    const { run_id } = await server.client.runsSubmit({
      tasks: [{ task_key: 'a', notebook_task: { notebook_path: 'a' } }],
      git_source: { git_url: repository.url, git_provider: 'gitHub', git_branch: 'main', ...more },
    });
    const { path: shown = '' } = await server.client.runGitCheckout({ run_id });
    const folder = path.join(server.stateDir, 'data/workspace', shown.replace('/Workspace/', ''));
    return { run_id, folder };
  }
  const isThere = (folder: string) =>
    fs.stat(folder).then(
      () => true,
      () => false,
    );
  const age = async (folder: string, ms: number) => {
    const then = new Date(Date.now() - ms);
    await fs.utimes(folder, then, then);
  };

  test('an old one goes when no run needs it, and comes back with the next; the repository is not fetched again', async () => {
    repository.commit({ 'a.py': '1' });
    const old = await runAndCheckOut();
    repository.commit({ 'a.py': '2' });
    const fresh = await runAndCheckOut();
    repository.commit({ 'a.py': '3' });
    // Its name goes on after the commit.
    const needed = await runAndCheckOut({ sparse_checkout: { patterns: ['x'] } });
    await server.client.runsCancel({ run_id: old.run_id });
    await server.client.runsCancel({ run_id: fresh.run_id });
    await age(old.folder, checkoutsKeptMs + 60_000);
    await age(needed.folder, checkoutsKeptMs + 60_000);
    const loop = createGitRetentionLoop(server.services);

    await loop.turn();

    expect(await Promise.all([old, fresh, needed].map(({ folder }) => isThere(folder)))).toEqual([
      false,
      true,
      true,
    ]);
    expect((await fs.readdir(path.dirname(old.folder))).filter((name) => name.startsWith('.'))).toEqual([]);
    expect(await server.client.runGitCheckout({ run_id: old.run_id })).toMatchObject({ state: 'ready' });
    expect(await isThere(old.folder)).toBe(true);
  });

  test('what was left of a checkout that was cut short goes after a day', async () => {
    repository.commit({ 'a.py': '4' });
    const { folder } = await runAndCheckOut();
    const draft = path.join(path.dirname(folder), '.draft-1');
    await fs.mkdir(path.join(draft, 'sub'), { recursive: true });
    await fs.chmod(path.join(draft, 'sub'), 0o555);
    await age(draft, 25 * 3_600_000);

    await createGitRetentionLoop(server.services).turn();

    expect(await isThere(draft)).toBe(false);
  });

  test('what is noted of a checkout goes with it', async () => {
    const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${'0'.repeat(64)}\nsize 1\n`;
    repository.commit({ '.gitattributes': '*.bin filter=lfs\n', 'a.bin': pointer, 'a.py': '5' });
    const { run_id, folder } = await runAndCheckOut();
    const repositoryName = path.basename(path.dirname(folder)).replace(/_commits$/, '');
    const mirror = path.join(server.stateDir, 'data/git', repositoryName);
    const note = path.join(mirror, 'headrace-lfs', path.basename(folder));
    const loop = createGitRetentionLoop(server.services);
    await age(note, checkoutsKeptMs + 60_000);
    await loop.turn();
    const stayed = await isThere(note);

    await server.client.runsCancel({ run_id });
    await age(folder, checkoutsKeptMs + 60_000);
    await loop.turn();

    expect([stayed, await isThere(note)]).toEqual([true, false]);
  });
});
