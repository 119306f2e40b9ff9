/** A certificate and its key from their files, checked before anybody is let in with them. */
import crypto from 'node:crypto';
import fs from 'node:fs/promises';
import net from 'node:net';
import tls from 'node:tls';

export interface PairFiles {
  readonly certificateFile: string;
  readonly keyFile: string;
}

export interface TlsPair {
  /** With the certificates between it and its authority. */
  readonly cert: string;
  readonly key: string;
  readonly leaf: crypto.X509Certificate;
}

/** What is wrong with the files, in a sentence that names them. */
export class PairError extends Error {}

export async function readPair(files: PairFiles, nowMs: number): Promise<TlsPair> {
  const { certificateFile, keyFile } = files;
  const [cert, key] = await Promise.all([
    readText(certificateFile, 'the certificate'),
    readText(keyFile, 'the key'),
  ]);
  const leaf = parse(() => new crypto.X509Certificate(cert), {
    file: certificateFile,
    expected: 'no certificate in PEM',
  });
  const privateKey = parse(() => crypto.createPrivateKey(key), {
    file: keyFile,
    expected: /ENCRYPTED/.test(key)
      ? 'a key with a passphrase; the server needs it without'
      : 'no private key in PEM',
  });
  if (!leaf.checkPrivateKey(privateKey))
    throw new PairError(`the key ${keyFile} does not belong to the certificate ${certificateFile}`);
  const { validFrom, validTo } = leaf;
  if (nowMs > Date.parse(validTo))
    throw new PairError(`the certificate ${certificateFile} expired on ${toDay(validTo)}`);
  if (nowMs < Date.parse(validFrom))
    throw new PairError(`the certificate ${certificateFile} is not valid before ${toDay(validFrom)}`);
  // What else OpenSSL refuses, such as a key that is too short.
  parse(() => tls.createSecureContext({ cert, key }), {
    file: certificateFile,
    expected: 'not usable with its key',
  });
  return { cert, key, leaf };
}

/** `name`: of a host, or an address. */
export function vouchesFor({ leaf }: Pick<TlsPair, 'leaf'>, name: string): boolean {
  return (net.isIP(name) === 0 ? leaf.checkHost(name) : leaf.checkIP(name)) !== undefined;
}

async function readText(file: string, what: string): Promise<string> {
  try {
    return await fs.readFile(file, 'utf8');
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const reasons: Readonly<Record<string, string>> = {
      ENOENT: 'there is no such file',
      EACCES: 'the user that the server runs as may not read it',
      EISDIR: 'it is a folder',
    };
    throw new PairError(`${what} ${file} cannot be read: ${reasons[code ?? ''] ?? message}`, { cause });
  }
}

function parse<Value>(make: () => Value, { file, expected }: { file: string; expected: string }): Value {
  try {
    return make();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new PairError(`${file} holds ${expected} (${reason})`, { cause });
  }
}

function toDay(text: string): string {
  return new Date(text).toISOString().slice(0, 10);
}
