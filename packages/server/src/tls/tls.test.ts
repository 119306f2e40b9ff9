import { once } from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import tls from 'node:tls';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ensureLocalPair } from './local-authority.ts';
import { makeAuthority, makeServerCertificate } from './make-certificate.ts';
import type { ServerTls } from './open-tls.ts';
import { readPair, type TlsPair } from './read-pair.ts';
import { createTlsFront } from './tls-front.ts';

const dayMs = 86_400_000;
const nowMs = Date.now();
const names = ['localhost', '127.0.0.1', '2001:db8::17'];

let folder: string;
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'headrace-tls-'));
});
afterEach(() => fs.rmSync(folder, { recursive: true }));

function write(name: string, text: string): string {
  const file = path.join(folder, name);
  fs.writeFileSync(file, text);
  return file;
}

function writePair(madeAtMs: number) {
  const authority = makeAuthority({ name: 'ours', nowMs: madeAtMs });
  const { certificate, key } = makeServerCertificate({ authority, names, nowMs: madeAtMs });
  const files = { certificateFile: write('server.pem', certificate), keyFile: write('server.key', key) };
  return { ...files, ca: authority.certificate };
}

test('the folder has one authority, and a pair that is made anew before it ends or for a new name', async () => {
  const ensure = (atMs: number, wanted = names) => ensureLocalPair(folder, { names: wanted, nowMs: atMs });
  const read = (file: string) => fs.readFileSync(file, 'utf8');

  const { caFile, certificateFile, keyFile } = await ensure(nowMs);
  const [ca, first] = [read(caFile), read(certificateFile)];
  await ensure(nowMs + 300 * dayMs);
  expect(read(certificateFile)).toBe(first);
  await ensure(nowMs + 370 * dayMs);
  const second = read(certificateFile);
  await ensure(nowMs + 371 * dayMs, [...names, 'rack4.example']);

  expect(new Set([first, second, read(certificateFile)]).size).toBe(3);
  expect(read(caFile)).toBe(ca);
  for (const file of [caFile, certificateFile, keyFile, path.join(folder, 'ca.key')])
    expect(fs.statSync(file).mode & 0o777).toBe(0o600);
});

test('an authority that has expired is told with what to do', async () => {
  await ensureLocalPair(folder, { names, nowMs });

  await expect(ensureLocalPair(folder, { names, nowMs: nowMs + 4_000 * dayMs })).rejects.toThrow(
    /ca\.pem expired on .*: remove .* for a new authority/,
  );
});

test('a pair that is unreadable, mismatched, expired or of tomorrow is refused by name', async () => {
  const pair = writePair(nowMs);
  const other = write('other.key', makeAuthority({ name: 'other', nowMs }).key);
  const text = write('text.pem', 'hello');
  const locked = write(
    'locked.key',
    '-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n',
  );
  const problem = (changed: Partial<typeof pair>, atMs = nowMs) =>
    readPair({ ...pair, ...changed }, atMs).then(
      () => 'none',
      (error: Error) => error.message,
    );

  expect(await problem({})).toBe('none');
  expect(await problem({ certificateFile: '/nowhere.pem' })).toBe(
    'the certificate /nowhere.pem cannot be read: there is no such file',
  );
  expect(await problem({ keyFile: folder })).toContain('it is a folder');
  expect(await problem({ certificateFile: text })).toContain('text.pem holds no certificate in PEM');
  expect(await problem({ keyFile: text })).toContain('text.pem holds no private key in PEM');
  expect(await problem({ keyFile: locked })).toContain('a key with a passphrase');
  expect(await problem({ keyFile: other })).toContain('other.key does not belong to the certificate');
  expect(await problem({}, nowMs + 400 * dayMs)).toContain('server.pem expired on');
  expect(await problem({}, nowMs - 2 * dayMs)).toContain('server.pem is not valid before');
});

test('what is inside TLS reaches the HTTP server; a new pair is shown to new connections', async () => {
  const server = http.createServer((request, response) => {
    response.end(String('encrypted' in request.socket));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const first = writePair(nowMs);
  const source = sourceOf(await readPair(first, nowMs));
  const front = createTlsFront(server, source);
  await once(front.server.listen(0, '127.0.0.1'), 'listening');
  const { port } = front.server.address() as AddressInfo;
  try {
    expect(await ask(port, first.ca)).toContain('200 OK');
    await expect(ask(port, first.ca, 'elsewhere.example')).rejects.toThrow(/does not match/);

    const second = writePair(nowMs);
    source.change(await readPair(second, nowMs));
    await expect(ask(port, first.ca)).rejects.toThrow(/unable to verify|signature/);
    expect(await ask(port, second.ca)).toMatch(/true$/);

    const plain = await fetch(`http://127.0.0.1:${port}/`).catch(() => 'refused');
    expect(plain).toBe('refused');
  } finally {
    await front.close();
    server.close();
  }
});

function sourceOf(pair: TlsPair): ServerTls & { change(pair: TlsPair): void } {
  const listeners: ((pair: TlsPair) => void)[] = [];
  return {
    caFile: null,
    pair: () => pair,
    nameFor: (host) => host,
    onChange: (listener) => void listeners.push(listener),
    stop: () => {},
    change: (next) => {
      for (const listener of listeners) listener(next);
    },
  };
}

function ask(port: number, ca: string, servername = 'localhost'): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = tls.connect({ host: '127.0.0.1', port, ca, servername }, () => {
      socket.write(`GET / HTTP/1.1\r\nhost: ${servername}\r\nconnection: close\r\n\r\n`);
    });
    let text = '';
    socket.setEncoding('utf8').on('data', (part) => {
      text += part;
    });
    socket.on('error', reject).on('end', () => resolve(text.trim()));
  });
}
