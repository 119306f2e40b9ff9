/** Proves to a server that this machine sees its data root: reads what it wrote there, writes what it will read. */
import crypto from 'node:crypto';
import fs from 'node:fs/promises';
import path from 'node:path';
import { waitMs } from '../wait.ts';

/** Shared file systems may show a new file this much later. */
const appearMs = 5_000;
const pollMs = 100;
const answerBytesMax = 200;

export interface DataRootChallenge {
  readonly challenge: string;
  readonly data_root: string;
  readonly read_file: string;
  readonly write_file: string;
  /** Not told by older servers. */
  readonly external_locations?: readonly string[] | undefined;
}

/** What a server says of the folders that its tasks use. */
export interface ServerPlace {
  readonly dataRoot: string;
  readonly externalLocations: readonly string[];
}

/** What was read is empty where there is nothing: the server says what that means. */
export async function answerChallenge(
  dataRoot: string,
  { challenge, data_root, read_file, write_file }: DataRootChallenge,
  signal: AbortSignal,
): Promise<{ challenge: string; read: string; written: string }> {
  const read = dataRoot === data_root ? await readWhenThere(path.join(dataRoot, read_file), signal) : '';
  const written = crypto.randomBytes(24).toString('hex');
  if (read !== '') await writeDurably(path.join(dataRoot, write_file), written);
  return { challenge, read, written };
}

async function readWhenThere(file: string, signal: AbortSignal): Promise<string> {
  const folder = path.dirname(path.dirname(file));
  const isFolder = await fs.stat(folder).then(
    (stat) => stat.isDirectory(),
    () => false,
  );
  for (let waitedMs = 0; isFolder && waitedMs < appearMs && !signal.aborted; waitedMs += pollMs) {
    const text = await fs.readFile(file, 'utf8').catch(() => '');
    if (text !== '') return text.slice(0, answerBytesMax);
    await waitMs(pollMs, signal);
  }
  return '';
}

async function writeDurably(file: string, text: string): Promise<void> {
  try {
    const handle = await fs.open(file, 'wx', 0o644);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (cause) {
    throw new Error(`${file} cannot be written: this worker needs to write below the data root`, { cause });
  }
}
