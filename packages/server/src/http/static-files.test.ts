import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { type FastifyInstance, fastify } from 'fastify';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createStaticFiles } from './static-files.ts';

let folder: string;
let http: FastifyInstance;
beforeEach(async () => {
  folder = await fs.mkdtemp(path.join(os.tmpdir(), 'headrace-web-'));
  await fs.mkdir(path.join(folder, 'dist/assets'), { recursive: true });
  await fs.writeFile(path.join(folder, 'secret'), 'secret');
  await fs.writeFile(path.join(folder, 'dist/index.html'), '<title>Headrace</title>');
  await fs.writeFile(path.join(folder, 'dist/assets/app-1a2b.js'), 'code');
  http = await serve(path.join(folder, 'dist'));
});
afterEach(async () => {
  await http.close();
  await fs.rm(folder, { recursive: true });
});

async function serve(root: string): Promise<FastifyInstance> {
  const server = fastify();
  const files = await createStaticFiles(root);
  server.setNotFoundHandler(async (request, reply) => {
    if (await files.trySend(request, reply)) return reply;
    return reply.status(404).send('not ours');
  });
  return server;
}

const get = (url: string, accept = 'text/html') => http.inject({ url, headers: { accept } });

test('every page gets the start page, under a policy that runs only our own scripts', async () => {
  for (const url of ['/', '/runs/7', '/jobs?page=2']) {
    const response = await get(url);

    expect([response.statusCode, response.body]).toEqual([200, '<title>Headrace</title>']);
    expect(response.headers['content-security-policy']).toContain("script-src 'self'");
    expect(response.headers['x-frame-options']).toBe('DENY');
    expect(response.headers['cache-control']).toBe('public, max-age=0');
  }
});

test('assets are kept for ever: their names change with their content', async () => {
  const response = await get('/assets/app-1a2b.js', '*/*');

  expect([response.statusCode, response.body]).toEqual([200, 'code']);
  expect(response.headers['cache-control']).toContain('immutable');
});

test.each(['/../secret', '/%2e%2e/secret', '/..%2fsecret', '/assets/..%2f..%2fsecret', '/%00', '/%ff'])(
  '%s gets nothing from outside',
  async (url) => {
    const response = await get(url, '*/*');

    expect(response.statusCode).toBeGreaterThanOrEqual(400);
    expect(response.body).not.toContain('secret');
  },
);

test('paths of the API, other methods and missing assets are not the UI’s', async () => {
  expect((await get('/api/2.2/nothing')).statusCode).toBe(404);
  expect((await get('/assets/gone.js', '*/*')).statusCode).toBe(404);
  expect((await http.inject({ method: 'POST', url: '/', headers: { accept: 'text/html' } })).statusCode).toBe(
    404,
  );
});

test('without a built UI nothing is served', async () => {
  const bare = await serve(path.join(folder, 'none'));

  expect((await bare.inject({ url: '/', headers: { accept: 'text/html' } })).statusCode).toBe(404);
});
