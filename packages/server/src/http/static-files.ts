/** The built UI: its files, and its start page for every other page a browser asks for. */
import fs from 'node:fs/promises';
import path from 'node:path';
import { send } from '@fastify/send';
import type { FastifyReply, FastifyRequest } from 'fastify';

export interface StaticFiles {
  /** False when the request is not for a file or page of the UI. */
  trySend(request: FastifyRequest, reply: FastifyReply): Promise<boolean>;
}

/** Output of user code is shown in sandboxed frames, with images as data: nothing else may be loaded or run. */
export const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "font-src 'self' data:",
  "connect-src 'self'",
  "frame-src 'self' blob:",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** The names of built assets hold a hash of their content. */
const assetMaxAgeMs = 365 * 24 * 3_600_000;

export async function createStaticFiles(folder: string): Promise<StaticFiles> {
  if (!(await isFile(path.join(folder, 'index.html')))) return { trySend: async () => false };
  return {
    async trySend(request, reply) {
      const { pathname } = new URL(request.url, 'http://here');
      if (request.method !== 'GET' || /^\/(api|\.well-known)\//.test(pathname)) return false;
      const file = await findFile(folder, pathname);
      if (file === null && !request.headers.accept?.includes('text/html')) return false;
      reply
        .header('content-security-policy', contentSecurityPolicy)
        .header('referrer-policy', 'same-origin')
        .header('x-frame-options', 'DENY')
        .header('cross-origin-opener-policy', 'same-origin');
      const isAsset = file?.startsWith('assets/') ?? false;
      const found = await send(request.raw, file ?? 'index.html', {
        root: folder,
        ...(isAsset ? { maxAge: assetMaxAgeMs, immutable: true } : { maxAge: 0 }),
      });
      await reply.code(found.statusCode).headers(found.headers).send(found.stream);
      return true;
    },
  };
}

/** The path below `folder`; null when there is no such file. `resolve` has taken out every `..` by then. */
async function findFile(folder: string, pathname: string): Promise<string | null> {
  let decoded: string;
  try {
    decoded = decodeURIComponent(pathname);
  } catch {
    return null; // Not a name of any file.
  }
  if (decoded.includes('\0')) return null;
  const file = path.resolve(folder, `.${decoded}`);
  if (!file.startsWith(`${folder}${path.sep}`) || !(await isFile(file))) return null;
  return path.relative(folder, file);
}

async function isFile(file: string): Promise<boolean> {
  return (await fs.stat(file).catch(() => null))?.isFile() ?? false;
}
