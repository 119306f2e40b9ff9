/** `server.json`: how a server of this machine says where it is. It exists while the server runs, or after a crash. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';

const ServerFile = z.looseObject({
  url: z.url(),
  token: z.string().min(1),
  pid: z.int().positive(),
  /** Beside https: without TLS, for processes of this machine. */
  local_url: z.url().optional(),
});
export type ServerFile = z.output<typeof ServerFile>;

/** Where this command reaches it; `url` is for people. */
export function addressOf({ url, local_url }: ServerFile): string {
  return local_url ?? url;
}

/** Undefined when there is none, or one that is being written. */
export async function readServerFile(stateDir: string): Promise<ServerFile | undefined> {
  return ServerFile.safeParse(await readJson(path.join(stateDir, 'server.json'))).data;
}

export async function readJson(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    if (error instanceof SyntaxError || isMissing(error)) return undefined;
    throw new Error(`cannot read ${file}`, { cause: error });
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
}
