/**
 * The key that a worker and one host share: made for each start, and laid into the host's folder. Whoever has it is
 * the other side; a self-signed certificate carries it, because TLS asks for one. It never leaves the claim.
 */
import crypto from 'node:crypto';

/** The same name as in headrace_runtime/sockets.py. */
export const workerKeyFile = 'worker-key.pem';

const tags = { integer: 0x02, bits: 0x03, utf8: 0x0c, sequence: 0x30, set: 0x31, utcTime: 0x17, time: 0x18 };
/** ecdsa-with-SHA256, and commonName: RFC 5758 and RFC 5280. */
const ecdsaSha256 = Buffer.from('06082a8648ce3d040302', 'hex');
const commonName = Buffer.from('0603550403', 'hex');
/** Both sides forget it with the host; no clock shall end it before. RFC 5280, 4.1.2.5. */
const validity = [encode(tags.utcTime, '200101000000Z'), encode(tags.time, '99991231235959Z')];

/** A private key and a certificate of it, in PEM. */
export function makeWorkerKey(): string {
  const { privateKey, publicKey } = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const name = sequence(
    encode(tags.set, sequence(Buffer.concat([commonName, encode(tags.utf8, 'headrace host')]))),
  );
  const serial = crypto.randomBytes(16);
  // Positive, and without a leading zero.
  serial[0] = 0x40 | ((serial[0] ?? 0) & 0x3f);
  const algorithm = sequence(ecdsaSha256);
  const version3 = encode(0xa0, encode(tags.integer, Buffer.from([2])));
  const content = sequence(
    version3,
    encode(tags.integer, serial),
    algorithm,
    name,
    sequence(...validity),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
  );
  const signature = crypto.sign('sha256', content, privateKey);
  const certificate = sequence(
    content,
    algorithm,
    encode(tags.bits, Buffer.concat([Buffer.from([0]), signature])),
  );
  const base64 = certificate.toString('base64').replaceAll(/.{1,64}/g, '$&\n');
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' });
  return `${key}-----BEGIN CERTIFICATE-----\n${base64}-----END CERTIFICATE-----\n`;
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return encode(tags.sequence, Buffer.concat(parts));
}

/** DER: a tag, the length, the content. */
function encode(tag: number, content: Buffer | string): Buffer {
  const body = Buffer.from(content);
  if (body.length < 0x80) return Buffer.concat([Buffer.from([tag, body.length]), body]);
  const { length } = body;
  const head = length < 0x100 ? [tag, 0x81, length] : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(head), body]);
}
