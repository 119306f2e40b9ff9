import fs from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestServer, type TestServer } from '../../support/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ backend: null });
});
afterAll(() => server.dispose());

const base64 = (text: string) => Buffer.from(text).toString('base64');
const notebook = '# Databricks notebook source\nprint(1)\n';

async function importText(target: string, text: string, more: object = {}): Promise<void> {
  await server.client.workspaceImport({ path: target, content: base64(text), format: 'AUTO', ...more });
}

async function exportText(target: string): Promise<string> {
  const { bytes } = await server.client.workspaceExport({ path: target, direct_download: true });
  return Buffer.from(bytes).toString('utf8');
}

describe('files and notebooks', () => {
  test('a file comes back byte for byte, and lies at its path below the data folder', async () => {
    await importText('/Users/admin/etl.py', 'print("ä")\n');

    expect(await exportText('/Users/admin/etl.py')).toBe('print("ä")\n');
    const stored = path.join(server.stateDir, 'data/workspace/Users/admin/etl.py');
    expect(await fs.readFile(stored, 'utf8')).toBe('print("ä")\n');
    expect(await server.client.workspaceGetStatus({ path: '/Users/admin/etl.py' })).toMatchObject({
      object_type: 'FILE',
      size: 12,
    });
  });

  test('a source notebook is known by its first line and loses its extension', async () => {
    await importText('/Users/admin/bronze.py', notebook);

    expect(await server.client.workspaceGetStatus({ path: '/Users/admin/bronze' })).toMatchObject({
      object_type: 'NOTEBOOK',
      language: 'PYTHON',
    });
    expect(await exportText('/Users/admin/bronze')).toBe(notebook);
    await expect(server.client.workspaceGetStatus({ path: '/Users/admin/bronze.py' })).rejects.toMatchObject({
      code: 'RESOURCE_DOES_NOT_EXIST',
    });
  });

  test('SOURCE with a language makes a notebook of any text, RAW never does', async () => {
    await importText('/Shared/q', 'select 1', { format: 'SOURCE', language: 'SQL' });
    await importText('/Shared/raw.py', notebook, { format: 'RAW' });

    expect(await exportText('/Shared/q')).toBe('-- Databricks notebook source\nselect 1');
    expect(await server.client.workspaceGetStatus({ path: '/Shared/raw.py' })).toMatchObject({
      object_type: 'FILE',
    });
  });

  test('/Workspace is another name of the root', async () => {
    await importText('/Workspace/Users/admin/alias.txt', 'x');

    expect(await exportText('/Users/admin/alias.txt')).toBe('x');
    expect(await server.client.workspaceGetStatus({ path: '/Workspace/Users/admin/' })).toMatchObject({
      path: '/Users/admin',
      object_type: 'DIRECTORY',
    });
  });

  test('a form with a file writes what JSON with base64 writes', async () => {
    const form = new FormData();
    form.set('path', '/Shared/form.bin');
    form.set('format', 'AUTO');
    form.set('overwrite', 'true');
    form.set('content', new Blob([new Uint8Array([0, 255, 1])]), 'form.bin');

    const response = await server.send('POST', '/api/2.0/workspace/import', { body: form });

    expect([response.status, await response.json()]).toEqual([200, {}]);
    const { bytes } = await server.client.workspaceExport({
      path: '/Shared/form.bin',
      direct_download: true,
    });
    expect([...bytes]).toEqual([0, 255, 1]);
  });

  test('what stands at a path is replaced only by overwrite, and a folder never', async () => {
    await importText('/Shared/once', 'first');

    await expect(importText('/Shared/once', 'second')).rejects.toMatchObject({
      code: 'RESOURCE_ALREADY_EXISTS',
      status: 409,
    });
    expect(await exportText('/Shared/once')).toBe('first');
    await importText('/Shared/once', 'second', { overwrite: true });
    expect(await exportText('/Shared/once')).toBe('second');
    await expect(importText('/Users/admin', 'x', { overwrite: true })).rejects.toMatchObject({ status: 409 });
  });

  test('of many writers at one path, each leaves row and bytes that belong together', async () => {
    const texts = Array.from({ length: 12 }, (_, index) => 'x'.repeat(index * 1000));

    await Promise.all(texts.map((text) => importText('/Shared/busy', text, { overwrite: true })));

    const { size } = await server.client.workspaceGetStatus({ path: '/Shared/busy' });
    expect((await exportText('/Shared/busy')).length).toBe(size);
  });

  test('the bytes that are downloaded cannot become a page of ours', async () => {
    await importText('/Shared/evil.html', '<script>alert(1)</script>');

    const response = await server.send(
      'GET',
      '/api/2.0/workspace/export?path=/Shared/evil.html&direct_download=true',
    );

    expect(response.headers.get('content-disposition')).toBe('attachment');
    expect(response.headers.get('content-security-policy')).toContain('sandbox');
  });
});

describe('folders', () => {
  test('a list shows the direct children, a file lists as itself', async () => {
    await server.client.workspaceMkdirs({ path: '/Shared/l/a/b' });
    await importText('/Shared/l/f.txt', 'x');

    const { objects } = await server.client.workspaceList({ path: '/Shared/l' });

    expect(objects?.map(({ path: child }) => child)).toEqual(['/Shared/l/a', '/Shared/l/f.txt']);
    expect((await server.client.workspaceList({ path: '/Shared/l/f.txt' })).objects).toHaveLength(1);
  });

  test('making a folder twice is fine; below a file it is refused', async () => {
    await server.client.workspaceMkdirs({ path: '/Shared/twice' });
    await server.client.workspaceMkdirs({ path: '/Shared/twice' });
    await importText('/Shared/file', 'x');

    await expect(server.client.workspaceMkdirs({ path: '/Shared/file/x' })).rejects.toMatchObject({
      status: 409,
    });
  });

  test('a folder with content is deleted only with recursive, and all of it goes', async () => {
    await server.client.workspaceMkdirs({ path: '/Shared/d/e' });
    await importText('/Shared/d/e/f', 'x');
    await importText('/Shared/d2', 'stays');

    await expect(server.client.workspaceDelete({ path: '/Shared/d' })).rejects.toMatchObject({
      code: 'INVALID_STATE',
    });
    await server.client.workspaceDelete({ path: '/Shared/d', recursive: true });

    await expect(server.client.workspaceGetStatus({ path: '/Shared/d/e/f' })).rejects.toMatchObject({
      status: 404,
    });
    await expect(fs.stat(path.join(server.stateDir, 'data/workspace/Shared/d'))).rejects.toThrow('ENOENT');
    expect(await fs.readdir(path.join(server.stateDir, 'data/trash'))).toEqual([]);
    expect(await exportText('/Shared/d2')).toBe('stays');
  });

  test('the root and the folders that every workspace has cannot be deleted', async () => {
    for (const kept of ['/', '/Users', '/Shared', '/Workspace']) {
      await expect(server.client.workspaceDelete({ path: kept, recursive: true })).rejects.toMatchObject({
        status: 400,
      });
    }
  });
});

describe('refused', () => {
  test.each([
    ['a way out', { path: '/Users/../../etc/passwd' }, 'INVALID_PARAMETER_VALUE'],
    ['an empty part', { path: '/Users//x' }, 'INVALID_PARAMETER_VALUE'],
    ['a missing parent', { path: '/Users/nobody/x' }, 'RESOURCE_DOES_NOT_EXIST'],
    ['a name beyond 255 bytes', { path: `/Shared/${'ä'.repeat(200)}` }, 'INVALID_PARAMETER_VALUE'],
    ['what is not base64', { path: '/Shared/b', content: '§§§' }, 'INVALID_PARAMETER_VALUE'],
    [
      'more than 10 MiB',
      { path: '/Shared/b', content: 'A'.repeat(14 * 1024 ** 2) },
      'INVALID_PARAMETER_VALUE',
    ],
    ['a format that we cannot read', { path: '/Shared/b', format: 'DBC' as const }, 'NOT_IMPLEMENTED'],
  ])('%s', async (_what, request, code) => {
    await expect(
      server.client.workspaceImport({ content: base64('x'), format: 'AUTO', ...request }),
    ).rejects.toMatchObject({ code });
  });

  test('a link that a task left in the workspace leads nowhere', async () => {
    const outside = path.join(server.stateDir, 'settings.json');
    await importText('/Shared/link', 'x');
    await fs.rm(path.join(server.stateDir, 'data/workspace/Shared/link'));
    await fs.symlink(outside, path.join(server.stateDir, 'data/workspace/Shared/link'));

    await expect(exportText('/Shared/link')).rejects.toMatchObject({ code: 'RESOURCE_DOES_NOT_EXIST' });
  });
});
