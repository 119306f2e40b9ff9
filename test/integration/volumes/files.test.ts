import { spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import fs from 'node:fs/promises';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestServer, type TestServer } from '../../support/server.ts';

let server: TestServer;
let outside: string;
beforeAll(async () => {
  outside = await fs.realpath(await fs.mkdtemp(path.join(os.tmpdir(), 'headrace-outside-')));
  server = await startTestServer({ backend: null, config: { externalLocations: [outside] } });
  const named = { catalog_name: 'dev', schema_name: 'default', name: 'v' };
  await server.client.volumesCreate({ ...named, volume_type: 'MANAGED' });
});
afterAll(async () => {
  await server.dispose();
  await fs.rm(outside, { recursive: true, force: true });
});

const volume = '/Volumes/dev/default/v';
const place = (name: string) => path.join(server.stateDir, 'data/volumes/dev/default/v', name);
const file = (name: string) => `/api/2.0/fs/files${volume}/${name}`;
const folder = (name: string) => `/api/2.0/fs/directories${volume}/${name}`;
const put = (name: string, body: BodyInit, query = '') => server.send('PUT', file(name) + query, { body });
const hashOf = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
const codeOf = async (answer: Response) => ((await answer.json()) as { error_code: string }).error_code;

/** With the path as it is written: fetch would tidy it up. */
async function sendRaw(method: string, target: string): Promise<{ status: number; text: string }> {
  const { hostname, port } = new URL(server.url);
  const headers = { authorization: `Bearer ${server.token}`, 'content-length': 0 };
  const request = http.request({ hostname, port, path: target, method, headers });
  request.end();
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  return { status: response.statusCode ?? 0, text: await text(response) };
}

describe('files', () => {
  test('what is uploaded is downloaded, byte for byte, whatever the bytes say they are', async () => {
    const content = Buffer.concat([Buffer.from('{"not": "parsed"}'), randomBytes(1_000)]);
    for (const type of [
      'application/octet-stream',
      'application/json',
      'multipart/form-data; boundary=x',
      '',
    ]) {
      const headers: Record<string, string> = type === '' ? {} : { 'content-type': type };
      const sent = await server.send('PUT', `${file('a/b/ü 1%25.bin')}?overwrite=true`, {
        body: content,
        headers,
      });
      expect(sent.status, type).toBe(204);

      const got = await server.send('GET', file('a/b/ü 1%25.bin'));

      expect([got.status, got.headers.get('content-length')]).toEqual([200, String(content.length)]);
      expect(Buffer.from(await got.arrayBuffer()).equals(content), type).toBe(true);
      expect(got.headers.get('content-security-policy')).toContain('sandbox');
    }
  });

  test('an empty file is a file', async () => {
    expect((await put('empty', '')).status).toBe(204);

    const got = await server.send('GET', file('empty'));

    expect([got.status, got.headers.get('content-length'), await got.text()]).toEqual([200, '0', '']);
  });

  test('a file is replaced only when it is asked for', async () => {
    await put('kept', 'old');

    const refused = await put('kept', 'new');
    expect([refused.status, await codeOf(refused)]).toEqual([409, 'RESOURCE_ALREADY_EXISTS']);
    expect(await fs.readFile(place('kept'), 'utf8')).toBe('old');
    expect((await put('kept', 'new', '?overwrite=True')).status).toBe(204);

    expect(await fs.readFile(place('kept'), 'utf8')).toBe('new');
  });

  test('of writers at the same time who may not replace, one wins', async () => {
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, at) => put('race', `${at}`.repeat(100_000))),
    );

    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 204)).toHaveLength(1);
    expect(new Set(await fs.readFile(place('race'), 'utf8')).size).toBe(1);
    expect(await fs.readdir(place(''))).not.toContainEqual(expect.stringContaining('draft'));
  });

  test.each([
    ['bytes=0-3', 206, '0123', 'bytes 0-3/10'],
    ['bytes=4-', 206, '456789', 'bytes 4-9/10'],
    ['bytes=-3', 206, '789', 'bytes 7-9/10'],
    ['bytes=8-99', 206, '89', 'bytes 8-9/10'],
    ['bytes=0-1,3-4', 200, '0123456789', null],
    ['lines=1-2', 200, '0123456789', null],
  ])('the range %s', async (range, status, part, contentRange) => {
    await put('digits', '0123456789', '?overwrite=true');

    const got = await server.send('GET', file('digits'), { headers: { range } });

    expect([got.status, got.headers.get('content-range')]).toEqual([status, contentRange]);
    expect([await got.text(), got.headers.get('content-length')]).toEqual([part, String(part.length)]);
  });

  test('a range past the end, and the rest of a file that was changed, are refused', async () => {
    await put('short', '0123');
    const past = await server.send('GET', file('short'), { headers: { range: 'bytes=4-' } });
    const since = { 'if-unmodified-since': new Date(0).toUTCString() };

    const changed = await server.send('GET', file('short'), { headers: { range: 'bytes=1-', ...since } });

    expect([past.status, changed.status]).toEqual([416, 412]);
    const { headers } = await server.send('HEAD', file('short'));
    const unchanged = { 'if-unmodified-since': headers.get('last-modified') ?? '' };
    expect((await server.send('GET', file('short'), { headers: unchanged })).status).toBe(200);
  });

  test('HEAD tells size and time, DELETE removes, and neither finds what is not there', async () => {
    await put('gone', '12345');

    const head = await server.send('HEAD', file('gone'));
    expect([head.status, head.headers.get('content-length')]).toEqual([200, '5']);
    expect(Date.parse(head.headers.get('last-modified') ?? '')).toBeGreaterThan(Date.now() - 60_000);
    expect((await server.send('DELETE', file('gone'))).status).toBe(204);

    for (const method of ['HEAD', 'GET', 'DELETE'])
      expect((await server.send(method, file('gone'))).status, method).toBe(404);
  });

  test('a file larger than any JSON body may be comes through whole', async () => {
    const content = randomBytes(24 * 1024 ** 2);

    expect((await put('large', content)).status).toBe(204);
    const got = await server.send('GET', file('large'));

    expect(hashOf(Buffer.from(await got.arrayBuffer()))).toBe(hashOf(content));
    await server.send('DELETE', file('large'));
  });

  test('an upload that breaks off leaves the old file and nothing else', async () => {
    await put('whole', 'old');
    const { hostname, port } = new URL(server.url);
    const headers = { authorization: `Bearer ${server.token}`, 'content-length': '1000000' };
    const at = { hostname, port, path: `${file('whole')}?overwrite=true`, method: 'PUT', headers };
    const request = http.request(at).on('error', () => {});
    request.write(randomBytes(100_000));
    await expect.poll(async () => (await fs.readdir(place(''))).join()).toContain('draft');

    request.destroy();

    await expect.poll(async () => (await fs.readdir(place(''))).join()).not.toContain('draft');
    expect(await fs.readFile(place('whole'), 'utf8')).toBe('old');
  });

  test('what SDKs ask for first is said to be missing in the way that makes them fall back', async () => {
    for (const name of ['create-download-url', 'create-upload-part-urls', 'create-resumable-upload-url']) {
      const answer = await server.send('POST', `/api/2.0/fs/${name}`, { body: '{}' });
      expect([answer.status, await codeOf(answer)], name).toEqual([501, 'NOT_IMPLEMENTED']);
    }
    const start = (name: string) => server.send('POST', `${file(name)}?action=initiate-upload`, { body: '' });
    expect(await (await start('x')).json()).toMatchObject({ multipart_upload: {} });
    await put('x', 'there');
    expect((await start('x')).status).toBe(409);
    expect((await server.send('POST', `${file('x')}?action=complete-upload`)).status).toBe(501);
  });
});

/** A mount can be made as root on Linux, and not everywhere there. */
function mountSmallDisk(folder: string): boolean {
  return spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder]).status === 0;
}

test('a full disk is told as such, while more is sent, and leaves nothing', async ({ skip }) => {
  const small = path.join(outside, 'small');
  await fs.mkdir(small);
  if (!mountSmallDisk(small)) skip('no disk can be mounted here');
  try {
    const named = { catalog_name: 'dev', schema_name: 'default', name: 'small' };
    await server.client.volumesCreate({ ...named, volume_type: 'EXTERNAL', storage_location: small });
    const target = '/api/2.0/fs/files/Volumes/dev/default/small/a';

    const answer = await server.send('PUT', target, { body: randomBytes(8 * 1024 ** 2) });

    expect([answer.status, await codeOf(answer)]).toEqual([400, 'RESOURCE_LIMIT_EXCEEDED']);
    expect(await fs.readdir(small)).toEqual([]);
    expect((await server.send('PUT', target, { body: 'fits' })).status).toBe(204);
    const { handle } = await server.client.dbfsCreate({ path: '/Volumes/dev/default/small/b' });
    const block = randomBytes(1024 ** 2).toString('base64');
    const addEight = async () => {
      for (let count = 0; count < 8; count += 1) await server.client.dbfsAddBlock({ handle, data: block });
    };
    await expect(addEight()).rejects.toMatchObject({ code: 'RESOURCE_LIMIT_EXCEEDED' });
  } finally {
    spawnSync('umount', ['-l', small]);
  }
});

describe('folders', () => {
  test('they are made, listed in pages, and deleted when they are empty', async () => {
    expect((await server.send('PUT', folder('d/e/f'))).status).toBe(204);
    expect((await server.send('PUT', folder('d/e/f'))).status).toBe(204);
    expect((await server.send('HEAD', folder('d/e'))).status).toBe(200);
    await put('d/z', 'four');
    await put('d/a', '');

    const pages: unknown[] = [];
    let token = '';
    do {
      const page = await server.client.directoriesList({
        path: `${volume}/d`.slice(1),
        page_size: 2,
        page_token: token,
      });
      pages.push(page.contents?.map(({ name, is_directory, file_size }) => [name, is_directory, file_size]));
      token = page.next_page_token ?? '';
    } while (token !== '');

    expect(pages).toEqual([
      [
        ['a', false, 0],
        ['e', true, undefined],
      ],
      [['z', false, 4]],
    ]);
    const full = await server.send('DELETE', folder('d'));
    expect([full.status, await codeOf(full)]).toEqual([400, 'INVALID_STATE']);
    expect((await server.send('DELETE', folder('d/e/f'))).status).toBe(204);
    expect((await server.send('HEAD', folder('d/e/f'))).status).toBe(404);
    expect((await server.send('DELETE', folder(''))).status).toBe(400);
  });

  test('files and folders are not taken for each other', async () => {
    await put('t/file', 'x');

    expect((await put('t', 'x', '?overwrite=true')).status).toBe(409);
    expect((await put('t/file/below', 'x')).status).toBe(400);
    expect((await server.send('PUT', folder('t/file'))).status).toBe(409);
    expect((await server.send('GET', file('t'))).status).toBe(404);
    expect((await server.send('DELETE', file('t'))).status).toBe(409);
    expect((await server.send('DELETE', folder('t/file'))).status).toBe(404);
    expect((await server.send('GET', folder('t/file'))).status).toBe(404);
  });
});

describe('paths', () => {
  test('outside of volumes that exist there is nothing', async () => {
    const targets = [
      ['/Volumes/dev/default/none/a', 404],
      ['/Volumes/dev/none/v/a', 404],
      ['/Volumes/none/default/v/a', 404],
      ['/Volumes/dev/default', 400],
      ['/Workspace/a', 400],
      ['/etc/passwd', 400],
    ] as const;
    for (const [target, status] of targets) {
      for (const method of ['GET', 'PUT', 'DELETE'])
        expect((await server.send(method, `/api/2.0/fs/files${target}`)).status, target).toBe(status);
    }
  });

  test.each([
    ...[
      '..',
      '%2e%2e',
      '.%2e',
      '..%2f..',
      '%2e%2e%2f%2e%2e',
      '..%5c..',
      '%252e%252e',
      'a/../..',
      'a%2f..%2f..',
    ],
    ...['', '.', '%2e', '%00', 'a%00', '%ff', '%2f', '//', '%2fetc%2fpasswd'],
  ])('nothing outside is reached by %j, however it is written', async (climb) => {
    await fs.mkdir(place('..'), { recursive: true });
    await fs.writeFile(path.join(server.stateDir, 'data/volumes/dev/default/secret'), 'nobody may read this');
    for (const target of [`${climb}/secret`, climb]) {
      for (const method of ['GET', 'PUT', 'DELETE']) {
        for (const kind of ['files', 'directories']) {
          const answer = await sendRaw(method, `/api/2.0/fs/${kind}${volume}/${target}`);
          expect(answer.status, `${method} ${kind} ${target}`).not.toBe(500);
          expect(answer.text, `${method} ${kind} ${target}`).not.toContain('nobody may');
        }
      }
    }

    const around = await fs.readdir(path.join(server.stateDir, 'data/volumes/dev/default'));
    expect(around.filter((name) => !['v', 'ext', 'small'].includes(name))).toEqual(['secret']);
    expect(await fs.readFile(path.join(server.stateDir, 'data/volumes/dev/default/secret'), 'utf8')).toBe(
      'nobody may read this',
    );
  });

  test('an external volume is reached where it lies, and not when it stops being allowed', async () => {
    await fs.mkdir(path.join(outside, 'share'));
    const named = { catalog_name: 'dev', schema_name: 'default', name: 'ext' };
    const storage_location = path.join(outside, 'share');
    await server.client.volumesCreate({ ...named, volume_type: 'EXTERNAL', storage_location });
    const target = '/api/2.0/fs/files/Volumes/dev/default/ext/a';

    expect((await server.send('PUT', target, { body: 'x' })).status).toBe(204);
    expect(await fs.readFile(path.join(storage_location, 'a'), 'utf8')).toBe('x');
    await fs.rename(storage_location, path.join(outside, 'moved'));
    await fs.symlink('/etc', storage_location);

    const answer = await server.send('GET', '/api/2.0/fs/files/Volumes/dev/default/ext/passwd');
    expect([answer.status, await codeOf(answer)]).toEqual([403, 'PERMISSION_DENIED']);
  });
});

test('without a token, or with one that signs workers on, there is no answer', async () => {
  const { token_value } = await server.client.workerTokensCreate({ comment: 'w' });
  for (const token of [null, token_value ?? '']) {
    for (const method of ['GET', 'HEAD', 'PUT', 'DELETE']) {
      for (const target of [file('a'), folder('a')]) {
        const { status } = await server.send(method, target, { token });
        expect(status, `${method} ${target}`).toBe(token === null ? 401 : 403);
      }
    }
  }
});
