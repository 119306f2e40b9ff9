/**
 * Makes certificates of X.509 version 3 (RFC 5280): an authority of its own for one state folder, and what it vouches
 * for. Node reads certificates and cannot make them; a package for it would bring a whole ASN.1 library.
 */
import crypto from 'node:crypto';
import net from 'node:net';
import { derTags, encodeDer, sequence, toPemCertificate } from './der.ts';

export interface Certified {
  readonly certificate: string;
  readonly key: string;
}

const dayMs = 86_400_000;
/** Whoever trusts it would have to do so again after that. */
const authorityDays = 3_650;
/** What browsers take at most of others' authorities; the server makes a new one in time. */
export const certificateDays = 397;
/** Clocks of this machine's clients are the same; virtual machines may lag behind. */
const earlierMs = dayMs;

const oids = {
  commonName: '550403',
  ecdsaSha256: '2a8648ce3d040302',
  subjectKeyId: '551d0e',
  keyUsage: '551d0f',
  subjectAltName: '551d11',
  basicConstraints: '551d13',
  authorityKeyId: '551d23',
  extendedKeyUsage: '551d25',
  serverAuth: '2b06010505070301',
};
const algorithm = sequence(oid(oids.ecdsaSha256));

export function makeAuthority({ name, nowMs }: { name: string; nowMs: number }): Certified {
  const pair = makePair();
  return certify({
    ...{ pair, subject: name, issuer: { name, ...pair } },
    until: { nowMs, days: authorityDays },
    extensions: [
      extension(oids.basicConstraints, sequence(encodeDer(derTags.boolean, Buffer.from([0xff]))), {
        critical: true,
      }),
      // keyCertSign, cRLSign: the bits 5 and 6.
      extension(oids.keyUsage, encodeDer(derTags.bits, Buffer.from([1, 0b0000_0110])), { critical: true }),
    ],
  });
}

/** `names` are host names and addresses. */
export function makeServerCertificate(options: {
  readonly authority: Certified;
  readonly names: readonly string[];
  readonly nowMs: number;
}): Certified {
  const { authority, names, nowMs } = options;
  const issuing = new crypto.X509Certificate(authority.certificate);
  const issuer = {
    name: issuing.subject.replace(/^CN=/, ''),
    privateKey: crypto.createPrivateKey(authority.key),
    publicKey: issuing.publicKey,
  };
  return certify({
    ...{ pair: makePair(), subject: 'Headrace', issuer, until: { nowMs, days: certificateDays } },
    extensions: [
      extension(oids.basicConstraints, sequence(), { critical: true }),
      // digitalSignature: bit 0.
      extension(oids.keyUsage, encodeDer(derTags.bits, Buffer.from([7, 0b1000_0000])), { critical: true }),
      extension(oids.extendedKeyUsage, sequence(oid(oids.serverAuth)), { critical: false }),
      extension(oids.subjectAltName, sequence(...names.map(toGeneralName)), { critical: false }),
    ],
  });
}

interface Pair {
  readonly privateKey: crypto.KeyObject;
  readonly publicKey: crypto.KeyObject;
}

function makePair(): Pair {
  return crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' });
}

function certify(options: {
  readonly pair: Pair;
  readonly subject: string;
  readonly issuer: Pair & { readonly name: string };
  readonly until: { readonly nowMs: number; readonly days: number };
  readonly extensions: readonly Buffer[];
}): Certified {
  const { pair, subject, issuer, until, extensions } = options;
  const serial = crypto.randomBytes(16);
  // Positive, and without a leading zero.
  serial[0] = 0x40 | ((serial[0] ?? 0) & 0x3f);
  const subjectKeyId = encodeDer(derTags.octets, keyIdOf(pair.publicKey));
  const authorityKeyId = sequence(encodeDer(0x80, keyIdOf(issuer.publicKey)));
  const content = sequence(
    encodeDer(0xa0, encodeDer(derTags.integer, Buffer.from([2]))),
    encodeDer(derTags.integer, serial),
    algorithm,
    distinguishedName(issuer.name),
    sequence(toTime(until.nowMs - earlierMs), toTime(until.nowMs + until.days * dayMs)),
    distinguishedName(subject),
    pair.publicKey.export({ type: 'spki', format: 'der' }),
    encodeDer(
      0xa3,
      sequence(
        ...extensions,
        extension(oids.subjectKeyId, subjectKeyId, { critical: false }),
        extension(oids.authorityKeyId, authorityKeyId, { critical: false }),
      ),
    ),
  );
  const signature = crypto.sign('sha256', content, issuer.privateKey);
  return {
    certificate: toPemCertificate(content, algorithm, signature),
    key: pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

function oid(hex: string): Buffer {
  return encodeDer(0x06, Buffer.from(hex, 'hex'));
}

function extension(id: string, value: Buffer, { critical }: { critical: boolean }): Buffer {
  const mark = critical ? [encodeDer(derTags.boolean, Buffer.from([0xff]))] : [];
  return sequence(oid(id), ...mark, encodeDer(derTags.octets, value));
}

function distinguishedName(name: string): Buffer {
  return sequence(encodeDer(derTags.set, sequence(oid(oids.commonName), encodeDer(derTags.utf8, name))));
}

/** UTCTime until 2049, as RFC 5280 wants it, and GeneralizedTime after. */
function toTime(atMs: number): Buffer {
  const digits = new Date(atMs).toISOString().replaceAll(/[-:T]|\.\d+/g, '');
  return digits < '2050' ? encodeDer(derTags.utcTime, digits.slice(2)) : encodeDer(derTags.time, digits);
}

function toGeneralName(name: string): Buffer {
  if (net.isIPv4(name)) return encodeDer(0x87, Buffer.from(name.split('.').map(Number)));
  if (net.isIPv6(name)) return encodeDer(0x87, toIpv6Bytes(name));
  return encodeDer(0x82, name);
}

function toIpv6Bytes(address: string): Buffer {
  // A URL writes the trailing IPv4 form as groups too.
  const [head = '', tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::');
  const groupsOf = (text: string | undefined) => (text ? text.split(':') : []);
  const [before, after] = [groupsOf(head), groupsOf(tail)];
  const groups = [...before, ...Array(8 - before.length - after.length).fill('0'), ...after];
  return Buffer.from(groups.map((group) => group.padStart(4, '0')).join(''), 'hex');
}

/** RFC 7093, method 1: no SHA-1. */
function keyIdOf(key: crypto.KeyObject): Buffer {
  const { x = '', y = '' } = key.export({ format: 'jwk' });
  const point = Buffer.concat([Buffer.from([4]), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')]);
  return crypto.createHash('sha256').update(point).digest().subarray(0, 20);
}
