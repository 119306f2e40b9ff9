// Installs the SQL client that test/sdk speaks with into a folder of its own; prints the folder. pandas, pyarrow and
// requests are those of .runtime/python. Called by the first test that wants it, so that a set-up without tests goes without.
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { withLock } from './setup/lock.mjs';
import { lastLines, root, run, runtimeDir, SetupFailure, step } from './setup/steps.mjs';

const lockPath = join(root, 'test', 'sdk', 'sql-clients.lock.txt');
const home = join(runtimeDir, 'sql-clients');
const python = join(runtimeDir, 'python', 'bin', 'python');

async function install() {
  rmSync(home, { recursive: true, force: true });
  const pip = ['-m', 'pip', 'install', '--quiet', '--no-deps', '--disable-pip-version-check', '--no-input'];
  const { ok, output } = await run(python, [...pip, '--target', home, '-r', lockPath]);
  if (!ok) {
    throw new SetupFailure(
      `installing the SQL client of the tests failed:\n${lastLines(output)}`,
      'check the network and pip’s index setting (pip config list), then try again',
    );
  }
}

try {
  // Its progress is no output of this script: the path is.
  const { write } = process.stdout;
  process.stdout.write = process.stderr.write.bind(process.stderr);
  const inputs = [readFileSync(lockPath)];
  const outputs = [join(home, 'databricks', 'sql', '__init__.py')];
  await withLock(() => step('SQL client of the tests', { name: 'sql-clients', inputs, outputs }, install));
  process.stdout.write = write;
  process.stdout.write(`${home}\n`);
} catch (error) {
  if (!(error instanceof SetupFailure)) throw error;
  process.stderr.write(`\n${error.message}\n\nwhat to do: ${error.cure}\n`);
  process.exitCode = 1;
}
