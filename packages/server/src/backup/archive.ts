/** A backup as one file, made and read by the system's own tar. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import { StartError } from '../start-error.ts';

export const isArchive = (name: string) => /\.(tar|tar\.gz|tgz)$/.test(name);

export async function packArchive(folder: string, file: string): Promise<void> {
  const draft = `${file}.new`;
  const output = fs.openSync(draft, 'w', 0o600);
  try {
    await runTar(['-C', folder, file.endsWith('.tar') ? '-cf' : '-czf', '-', '.'], output);
    fs.fsyncSync(output);
    fs.renameSync(draft, file);
  } finally {
    fs.closeSync(output);
    fs.rmSync(draft, { force: true });
  }
}

export async function unpackArchive(file: string, folder: string): Promise<void> {
  fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
  await runTar(['-C', folder, '--no-same-owner', '-xf', file], 'ignore');
}

async function runTar(args: readonly string[], output: number | 'ignore'): Promise<void> {
  const child = spawn('tar', args, { stdio: ['ignore', output, 'inherit'] });
  const [code] = (await once(child, 'exit').catch((cause: unknown) => {
    throw new StartError('the program tar is not there: name a folder instead of a file', { cause });
  })) as [number | null];
  if (code !== 0) throw new StartError(`tar ended with ${code}`);
}
