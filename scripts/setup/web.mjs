// Step 7: the web UI as static files, which the server hands out.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { lastLines, root, run, SetupFailure, step } from './steps.mjs';

const SOURCES = ['packages/web', 'packages/api/src', 'packages/core/src'];
const NOT_SOURCES = /(^|\/)(node_modules|dist|test-results)(\/|$)|\.tsbuildinfo$|\.test\.tsx?$/;

export async function setUpWeb(node) {
  const home = join(root, 'packages', 'web');
  const hasConfig =
    existsSync(home) && readdirSync(home).some((name) => /^vite\.config\.[mc]?[jt]s$/.test(name));
  if (!hasConfig) return;
  const inputs = SOURCES.flatMap((folder) => filesBelow(join(root, folder))).flatMap((path) => [
    path,
    readFileSync(path),
  ]);
  await step('web UI', { name: 'web', inputs, outputs: [join(home, 'dist', 'index.html')] }, async () => {
    const vite = join(root, 'node_modules', 'vite', 'bin', 'vite.js');
    const { ok, output } = await run(
      node.path,
      ['--conditions=source', vite, 'build', '--logLevel', 'warn'],
      { cwd: home },
    );
    if (!ok)
      throw new SetupFailure(
        `building the web UI failed:\n${lastLines(output)}`,
        'mend packages/web and try again',
      );
  });
}

function filesBelow(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true })
    .filter((name) => !NOT_SOURCES.test(name))
    .sort()
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile());
}
