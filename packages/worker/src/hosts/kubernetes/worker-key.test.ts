import crypto, { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import tls from 'node:tls';
import { expect, test } from 'vitest';
import { makeWorkerKey } from './worker-key.ts';

test('the certificate is well-formed and signed by its own key', () => {
  const pem = makeWorkerKey();

  const certificate = new X509Certificate(pem);
  expect(certificate.verify(certificate.publicKey)).toBe(true);
  expect(certificate.checkPrivateKey(crypto.createPrivateKey(pem))).toBe(true);
});

test.each([
  ['of the same key', true],
  ['of another key', false],
])('a peer %s is let in: %s', async (whose, isLetIn) => {
  const pem = makeWorkerKey();
  const theirs = whose === 'of the same key' ? pem : makeWorkerKey();
  const settings = { requestCert: true, rejectUnauthorized: true } as const;
  const server = tls.createServer({ key: pem, cert: pem, ca: pem, ...settings });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const seen = new Promise<boolean>((resolve) => {
    server.once('secureConnection', () => resolve(true));
    server.once('tlsClientError', () => resolve(false));
  });

  const options = { host: '127.0.0.1', port, key: theirs, cert: theirs, ca: pem };
  const socket = tls.connect({ ...options, checkServerIdentity: () => undefined });
  socket.on('error', () => undefined);

  expect(await seen).toBe(isLetIn);
  socket.destroy();
  server.close();
});
