import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const launcher = fileURLToPath(new URL('../bin/headrace.js', import.meta.url));
const run = promisify(execFile);

test('the launcher starts the sources of a checkout and hands the exit code on', async () => {
  const { stdout } = await run(process.execPath, [launcher, '--version']);
  const failure = await run(process.execPath, [launcher, 'nonsense']).catch((error: unknown) => error);

  expect(stdout).toBe('0.1.0\n');
  expect(failure).toMatchObject({ code: 2, stderr: expect.stringContaining("unknown command 'nonsense'") });
});
