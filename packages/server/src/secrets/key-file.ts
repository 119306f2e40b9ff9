/**
 * The file of keys: one in each line, 32 random bytes in base64, the oldest first. Which of them seals is written in the
 * store. Keys that seal nothing any more are moved to a file of their own beside it: an older backup may need them.
 * Lines change under the lock of the store's row only, so that no two servers that share a file lose each other's.
 */
import crypto from 'node:crypto';
import fs from 'node:fs/promises';
import path from 'node:path';
import { ApiError } from '@headrace/api';
import { fingerprintOf, keyBytes } from './seal.ts';

export interface OwnKey {
  readonly key: crypto.KeyObject;
  readonly fingerprint: string;
}

/** Nobody turns a key as often; more lines are no file of keys. */
const keysMax = 100;

/** The oldest first; none when there is no file. */
export async function readKeyFile(file: string): Promise<OwnKey[]> {
  return (await readLines(file)).map((line) => parseKey(file, line));
}

/** A key that was moved aside. */
export async function readRetiredKey(file: string, fingerprint: string): Promise<OwnKey | null> {
  const keys = await readKeyFile(retiredFile(file, fingerprint));
  return keys.find((key) => key.fingerprint === fingerprint) ?? null;
}

export function retiredFile(file: string, fingerprint: string): string {
  return `${file}.${fingerprint}.old`;
}

/** Whole or not there, also when the machine dies; of several makers, all get the one that came first. */
export async function makeKeyFile(file: string): Promise<OwnKey> {
  try {
    await fs.mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
    const draft = await writeDraft(file, [newLine()]);
    try {
      // A link, not a rename: it does not replace a key that another has made meanwhile.
      await fs.link(draft, file);
    } finally {
      await fs.rm(draft, { force: true });
    }
    await flushFolder(file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EEXIST')
      throw new ApiError(
        'INVALID_STATE',
        `${file} cannot be made (${code}): it is to hold the key of secrets`,
      );
  }
  const made = (await readKeyFile(file)).at(-1);
  if (!made) throw new ApiError('INVALID_STATE', `${file} went away while it was made`);
  return made;
}

/** A new key at the end of the file, there to stay before this returns. */
export async function addKey(file: string): Promise<OwnKey> {
  const lines = await readLines(file);
  try {
    await replaceLines(file, [...lines, newLine()]);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new ApiError(
      'INVALID_STATE',
      `${file} cannot be written (${code}), so no key can be added to it: add a line at its end yourself, as ` +
        `"openssl rand -base64 ${keyBytes}" makes it, on every server of this store, and then ask again`,
    );
  }
  const keys = await readKeyFile(file);
  const added = keys.at(-1);
  if (!added || keys.length !== lines.length + 1)
    throw new ApiError('INVALID_STATE', `${file} was changed by somebody else: ask again`);
  return added;
}

/** Copies first, then takes the lines out: at no moment is a key nowhere. */
export async function retireKeys(file: string, fingerprints: ReadonlySet<string>): Promise<void> {
  const lines = await readLines(file);
  const isRetired = (line: string) => fingerprints.has(parseKey(file, line).fingerprint);
  try {
    for (const line of lines.filter(isRetired)) {
      await replaceLines(retiredFile(file, parseKey(file, line).fingerprint), [line]);
    }
    await replaceLines(
      file,
      lines.filter((line) => !isRetired(line)),
    );
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    const names = [...fingerprints].join(', ');
    throw new ApiError(
      'INVALID_STATE',
      `nothing is sealed with key ${names} any more, and ${file} cannot be changed (${code}): move its line out of ` +
        `the file yourself, to ${retiredFile(file, '<fingerprint>')} if backups from before are kept`,
    );
  }
}

const newLine = () => crypto.randomBytes(keyBytes).toString('base64');

async function readLines(file: string): Promise<string[]> {
  let text: string;
  try {
    text = await fs.readFile(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return [];
    throw new ApiError('INVALID_STATE', `${file} cannot be read (${code}): it holds the key of secrets`);
  }
  const lines = text.split('\n').map((line) => line.trim());
  const filled = lines.filter((line) => line !== '');
  if (filled.length > keysMax)
    throw new ApiError('INVALID_STATE', `${file} is no key file: it has more than ${keysMax} lines`);
  return filled.length === 0 ? [''] : filled;
}

function parseKey(file: string, line: string): OwnKey {
  const bytes = Buffer.from(line, 'base64');
  if (bytes.length !== keyBytes || bytes.toString('base64') !== line) {
    throw new ApiError(
      'INVALID_STATE',
      `${file} is no key file: expected ${keyBytes} bytes in base64, as "openssl rand -base64 ${keyBytes}" makes them`,
    );
  }
  const key = crypto.createSecretKey(bytes);
  return { key, fingerprint: fingerprintOf(key) };
}

async function replaceLines(file: string, lines: readonly string[]): Promise<void> {
  // Where the name is a link, what it leads to is the file.
  const target = await fs.realpath(file).catch(() => file);
  const draft = await writeDraft(target, lines);
  try {
    await fs.rename(draft, target);
  } finally {
    await fs.rm(draft, { force: true });
  }
  await flushFolder(target);
}

async function writeDraft(file: string, lines: readonly string[]): Promise<string> {
  const draft = `${file}.${crypto.randomBytes(4).toString('hex')}.new`;
  const text = lines.map((line) => `${line}\n`).join('');
  await fs.writeFile(draft, text, { mode: 0o600, flush: true });
  return draft;
}

/** A draft is written within a moment: one that is older was left by a crash, and holds keys. */
const draftMs = 60_000;

/** At start. Others may write theirs at this moment, where servers share the file. */
export async function removeOldDrafts(file: string, nowMs: number): Promise<void> {
  const target = await fs.realpath(file).catch(() => file);
  const folder = path.dirname(target);
  const prefix = `${path.basename(target)}.`;
  const names = await fs.readdir(folder).catch(() => []);
  for (const name of names) {
    if (!name.startsWith(prefix) || !/^[0-9a-f]{8}\.new$/.test(name.slice(prefix.length))) continue;
    const draft = path.join(folder, name);
    const stat = await fs.lstat(draft).catch(() => null);
    // One that cannot be removed keeps nobody from starting.
    if (stat !== null && nowMs - stat.mtimeMs > draftMs) await fs.rm(draft).catch(() => undefined);
  }
}

/** A name is kept only when its folder is. */
async function flushFolder(file: string): Promise<void> {
  const folder = await fs.open(path.dirname(file));
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
