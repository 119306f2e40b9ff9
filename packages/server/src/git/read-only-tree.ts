/** Trees of files that nobody may change: made so, measured, removed. Links are never followed. */
import fs from 'node:fs/promises';
import path from 'node:path';

/** All below a folder, and at last the folder itself; what may be executed stays so. */
export async function makeReadOnly(folder: string): Promise<void> {
  for (const entry of await fs.readdir(folder, { withFileTypes: true })) {
    const below = path.join(folder, entry.name);
    if (entry.isDirectory()) await makeReadOnly(below);
    else if (entry.isFile())
      await fs.chmod(below, ((await fs.stat(below)).mode & 0o111) === 0 ? 0o444 : 0o555);
  }
  await fs.chmod(folder, 0o555);
}

/** What is not there is removed already. */
export async function removeTree(folder: string): Promise<void> {
  await makeWritable(folder);
  await fs.rm(folder, { recursive: true, force: true });
}

async function makeWritable(folder: string): Promise<void> {
  try {
    await fs.chmod(folder, 0o700);
    for (const entry of await fs.readdir(folder, { withFileTypes: true })) {
      if (entry.isDirectory()) await makeWritable(path.join(folder, entry.name));
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

/** Bytes of the files in a folder, down to a depth. */
export async function measureFolder(folder: string, depth: number): Promise<number> {
  let bytes = 0;
  for (const entry of await fs.readdir(folder, { withFileTypes: true }).catch(() => [])) {
    const below = path.join(folder, entry.name);
    if (entry.isFile()) bytes += (await fs.stat(below).catch(() => ({ size: 0 }))).size;
    else if (entry.isDirectory() && depth > 1) bytes += await measureFolder(below, depth - 1);
  }
  return bytes;
}
