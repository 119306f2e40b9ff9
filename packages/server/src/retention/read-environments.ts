/** What stands on disk about environments of libraries: their sizes, their last use, and the attempts that marked them. */
import fs from 'node:fs/promises';
import path from 'node:path';

export interface Environment {
  readonly name: string;
  readonly usedAtMs: number;
  readonly sizeBytes: number;
  /** Attempts that have marked it. */
  readonly users: readonly number[];
}

export async function readEnvironment(
  root: string,
  name: string,
  { modifiedAtMs, isQuiet, nowMs }: Readonly<{ modifiedAtMs: number; isQuiet: boolean; nowMs: number }>,
): Promise<Environment> {
  const users = await readUsers(root, name);
  const marked = await fs.stat(usesOf(root, name)).catch(() => null);
  // One from before uses were marked was used when it was read; where the file system does not keep that, while
  // tasks run, it may be in use.
  const { atimeMs } = marked === null ? await fs.stat(path.join(root, name)) : { atimeMs: 0 };
  const readAtMs = marked !== null || atimeMs > modifiedAtMs || isQuiet ? atimeMs : nowMs;
  const usedAtMs = Math.max(marked?.mtimeMs ?? 0, readAtMs, modifiedAtMs);
  return { name, usedAtMs, sizeBytes: await readSize(root, name), users };
}

export async function readUsers(root: string, name: string): Promise<number[]> {
  const names = await fs.readdir(usesOf(root, name)).catch(() => []);
  return names.map(Number).filter(Number.isSafeInteger);
}

/** Takes marks away without making the environment look used. */
export async function forgetUsers(root: string, name: string, users: readonly number[]): Promise<void> {
  if (users.length === 0) return;
  const { atime, mtime } = await fs.stat(usesOf(root, name));
  for (const user of users) await fs.rm(path.join(usesOf(root, name), String(user)), { force: true });
  await fs.utimes(usesOf(root, name), atime, mtime);
}

/** Answers whose environment is gone: the next request like it makes it anew. */
export async function forgetRequests(root: string): Promise<void> {
  const requests = path.join(root, '.requests');
  for (const name of await fs.readdir(requests).catch(() => [])) {
    const file = path.join(requests, name);
    const environment = /"environment": "([^"]+)"/.exec(await fs.readFile(file, 'utf8').catch(() => ''))?.[1];
    if (environment === undefined) continue;
    const isThere = await fs.stat(path.join(root, environment)).then(Boolean, () => false);
    if (isThere) continue;
    await fs.rm(file, { force: true });
    await fs.rm(path.join(root, '.locks', name), { force: true });
  }
}

async function readSize(root: string, name: string): Promise<number> {
  try {
    const text = await fs.readFile(path.join(root, name, 'environment.json'), 'utf8');
    const facts: unknown = JSON.parse(text);
    const size = typeof facts === 'object' && facts !== null && 'size_bytes' in facts ? facts.size_bytes : 0;
    return typeof size === 'number' ? size : 0;
  } catch {
    return 0; // made before sizes were written down
  }
}

function usesOf(root: string, name: string): string {
  return path.join(root, '.uses', name);
}
