/**
 * The authority of one state folder, for use on this machine without one of the company's: made at the first start
 * with `--tls`, kept, and trusted by nobody who was not told to. What it vouches for is made anew in time.
 */
import crypto from 'node:crypto';
import fs from 'node:fs/promises';
import path from 'node:path';
import { StartError } from '../start-error.ts';
import { type Certified, makeAuthority, makeServerCertificate } from './make-certificate.ts';
import { type PairFiles, readPair, vouchesFor } from './read-pair.ts';

export interface LocalPair extends PairFiles {
  readonly caFile: string;
}

/** Made anew when less is left of it. */
const leftMsMin = 30 * 86_400_000;

export async function ensureLocalPair(
  folder: string,
  { names, nowMs }: { names: readonly string[]; nowMs: number },
): Promise<LocalPair> {
  const files = {
    caFile: path.join(folder, 'ca.pem'),
    certificateFile: path.join(folder, 'server.pem'),
    keyFile: path.join(folder, 'server.key'),
  };
  await fs.mkdir(folder, { recursive: true, mode: 0o700 });
  const authority = await ensureAuthority(files.caFile, path.join(folder, 'ca.key'), nowMs);
  if (await isGood(files, { authority, names, nowMs })) return files;
  const { certificate, key } = makeServerCertificate({ authority, names, nowMs });
  // The key first: a pair that does not match is made anew by the next start.
  await writeSecret(files.keyFile, key);
  await writeSecret(files.certificateFile, certificate);
  return files;
}

async function ensureAuthority(certificateFile: string, keyFile: string, nowMs: number): Promise<Certified> {
  const [certificate, key] = await Promise.all([readIfThere(certificateFile), readIfThere(keyFile)]);
  if (certificate !== null && key !== null) {
    try {
      await readPair({ certificateFile, keyFile }, nowMs);
    } catch (cause) {
      throw new StartError(
        `${(cause as Error).message}: remove ${path.dirname(keyFile)} for a new authority, and have clients trust that`,
        { cause },
      );
    }
    return { certificate, key };
  }
  const name = `Headrace local ${crypto.randomBytes(4).toString('hex')}`;
  const made = makeAuthority({ name, nowMs });
  await writeSecret(keyFile, made.key);
  await writeSecret(certificateFile, made.certificate);
  return made;
}

async function isGood(
  files: PairFiles,
  { authority, names, nowMs }: { authority: Certified; names: readonly string[]; nowMs: number },
): Promise<boolean> {
  const pair = await readPair(files, nowMs + leftMsMin).catch(() => null);
  if (pair === null || !pair.leaf.verify(new crypto.X509Certificate(authority.certificate).publicKey))
    return false;
  return names.every((name) => vouchesFor(pair, name));
}

async function readIfThere(file: string): Promise<string | null> {
  try {
    return await fs.readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new StartError(`${file} cannot be read: repair or remove it`, { cause: error });
  }
}

/** Readers see the old file or the new one, and nobody else may read either. */
async function writeSecret(file: string, text: string): Promise<void> {
  const draft = `${file}.${process.pid}.new`;
  await fs.writeFile(draft, text, { mode: 0o600 });
  await fs.rename(draft, file);
}
