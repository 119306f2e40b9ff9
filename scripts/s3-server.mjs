// Installs the S3 server that tests of the blob store talk to, in an environment of its own; prints its Python.
// Called by the first test that wants it (test/support/s3-server.ts), so that a set-up without tests goes without.
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { withLock } from './setup/lock.mjs';
import { lastLines, root, run, runtimeDir, SetupFailure, step } from './setup/steps.mjs';

const lockPath = join(root, 'test', 'support', 's3-server.lock.txt');
const home = join(runtimeDir, 's3-server');
const python = join(home, 'bin', 'python');

async function install() {
  const base = join(runtimeDir, 'python', 'bin', 'python');
  rmSync(home, { recursive: true, force: true });
  const pip = ['-m', 'pip', 'install', '--quiet', '--no-deps', '--disable-pip-version-check', '--no-input'];
  for (const [command, args] of [
    [base, ['-I', '-m', 'venv', home]],
    [python, [...pip, '-r', lockPath]],
  ]) {
    const { ok, output } = await run(command, args);
    if (!ok) {
      throw new SetupFailure(
        `installing the S3 server of the tests failed:\n${lastLines(output)}`,
        'check the network and pip’s index setting (pip config list), then try again',
      );
    }
  }
}

try {
  // Its progress is no output of this script: the path is.
  const { write } = process.stdout;
  process.stdout.write = process.stderr.write.bind(process.stderr);
  await withLock(() =>
    step(
      'S3 server of the tests',
      { name: 's3-server', inputs: [readFileSync(lockPath)], outputs: [python] },
      install,
    ),
  );
  process.stdout.write = write;
  process.stdout.write(`${python}\n`);
} catch (error) {
  if (!(error instanceof SetupFailure)) throw error;
  process.stderr.write(`\n${error.message}\n\nwhat to do: ${error.cure}\n`);
  process.exitCode = 1;
}
