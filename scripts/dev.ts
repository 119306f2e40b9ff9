/** `npm run dev`: the server restarts when its sources change, the UI reloads in the browser; Ctrl-C ends both. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './run-command.ts';

const stateDir = join(root, '.runtime', 'dev');
mkdirSync(stateDir, { recursive: true, mode: 0o700 });

const server = [
  '--watch',
  '--conditions=source',
  join(root, 'packages/server/src/main.ts'),
  '--state-dir',
  stateDir,
];
const web = ['--conditions=source', join(root, 'node_modules/vite/bin/vite.js')];
const children: readonly ChildProcess[] = [
  spawn(process.execPath, server, { cwd: root, stdio: 'inherit' }),
  spawn(process.execPath, web, { cwd: join(root, 'packages', 'web'), stdio: 'inherit' }),
];

for (const child of children) {
  child.on('exit', (code) => {
    process.exitCode ??= code ?? 1;
    for (const other of children) other.kill('SIGTERM');
  });
}
// The terminal sends Ctrl-C to the children too; we wait for them.
process.on('SIGINT', () => {});
