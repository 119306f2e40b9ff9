/**
 * Where the command begins. Compiled code is kept, which halves the start (0.52 s to 0.25 s, 2 loaded cores,
 * 2026-11); the cache must be on before the first import, so nothing but it is imported here.
 */
import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

enableCompileCache(fileURLToPath(new URL('../../../node_modules/.cache/headrace', import.meta.url)));
await import('./start-cli.ts');
