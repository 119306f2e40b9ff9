#!/usr/bin/env node
// Starts the command under a Node that can run it. Plain JavaScript, for whatever Node finds it: a checkout's
// sources need Node 22.18 or newer and the `source` condition, and the repository brings its own Node.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const packageFolder = fileURLToPath(new URL('..', import.meta.url));
const source = join(packageFolder, 'src', 'main.ts');
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
const isNewEnough = major > 22 || (major === 22 && minor >= 18);

function findOwnNode() {
  for (let folder = packageFolder; ; folder = dirname(folder)) {
    const candidate = join(folder, 'node_modules', '.bin', 'node');
    if (existsSync(candidate)) return candidate;
    if (folder === dirname(folder)) return undefined;
  }
}

const node = isNewEnough ? process.execPath : findOwnNode();
if (node === undefined) {
  console.error(`error: headrace needs Node 22.18 or newer, this is ${process.versions.node}`);
  console.error('  in a checkout, `npm run setup` brings one; elsewhere install Node 24');
  process.exit(1);
}
const program = existsSync(source)
  ? ['--conditions=source', '--disable-warning=ExperimentalWarning', source]
  : [join(packageFolder, 'dist', 'main.js')];
const child = spawn(node, [...program, ...process.argv.slice(2)], { stdio: 'inherit' });
child.on('error', (error) => {
  console.error(`error: cannot start ${node}: ${error.message}`);
  process.exit(1);
});
// A terminal sends Ctrl-C to both; other senders know only this process. The child decides when it is over.
process.on('SIGINT', () => {});
for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('exit', (code, signal) => {
  process.exitCode = code ?? (signal === 'SIGINT' ? 130 : 143);
});
