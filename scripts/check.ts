/** `npm run check`, what CI runs: format, lint, tidy, types, unused code, Python, generated files; then `npm test`. */
import { join } from 'node:path';
import { python, root, runCommand } from './run-command.ts';

const bin = (name: string) => join(root, 'node_modules', '.bin', name);
const ownScript = (name: string, ...args: string[]) => [
  '--conditions=source',
  join(root, 'scripts', name),
  ...args,
];

interface Check {
  readonly title: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd?: string;
}

const CHECKS: readonly Check[] = [
  { title: 'format and lint', command: bin('biome'), args: ['check', '--error-on-warnings', '.'] },
  { title: 'tidy', command: process.execPath, args: ownScript('tidy.ts') },
  { title: 'types', command: bin('tsc'), args: ['-b'] },
  // They belong to no package.
  { title: 'types of tests and scripts', command: bin('tsc'), args: ['-p', 'tsconfig.tools.json'] },
  { title: 'unused code', command: bin('knip'), args: [] },
  {
    title: 'Python format',
    command: python,
    args: ['-m', 'ruff', 'format', '--check', '-q', 'python', 'scripts', 'examples', 'test'],
  },
  {
    title: 'Python lint',
    command: python,
    args: ['-m', 'ruff', 'check', '-q', 'python', 'scripts', 'examples', 'test'],
  },
  {
    title: 'Python types',
    command: python,
    args: ['-m', 'mypy', '--no-error-summary'],
    cwd: join(root, 'python'),
  },
  { title: 'generated files fresh', command: process.execPath, args: ownScript('openapi.ts', '--check') },
];

async function main() {
  const failed: string[] = [];
  for (const { title, command, args, cwd } of CHECKS) {
    const beganAtMs = performance.now();
    const code = await runCommand(command, args, cwd === undefined ? {} : { cwd });
    const elapsed = ((performance.now() - beganAtMs) / 1000).toFixed(1);
    console.log(`${code === 0 ? 'ok    ' : 'FAILED'} ${title} (${elapsed} s)`);
    if (code !== 0) failed.push(title);
  }
  if (failed.length > 0) {
    console.log(`not run: the tests; mend first: ${failed.join(', ')}`);
    process.exitCode = 1;
    return;
  }
  process.exitCode = await runCommand(process.execPath, ownScript('test.ts'));
}

await main();
