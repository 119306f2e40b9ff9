/** `npm test`: vitest, and pytest beside it; then a census of processes. The last line is the sum of all runners. */
import { randomUUID } from 'node:crypto';
import { appendFileSync, chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { MARKER, takeCensus } from './census.ts';
import { python, root, runCommand } from './run-command.ts';

interface Tally {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

const reports = join(root, '.runtime', 'test-reports');

async function main() {
  rmSync(reports, { recursive: true, force: true });
  mkdirSync(reports, { recursive: true });
  const runId = randomUUID();
  // Everything that tests write goes below one folder, which also marks their processes. The name is short: below it
  // lie Unix sockets, whose paths end at 108 bytes. Others may pass: as root, PostgreSQL runs as another user.
  const folder = mkdtempSync(join(tmpdir(), 'hrt-'));
  chmodSync(folder, 0o711);
  const env = { [MARKER]: runId, TMPDIR: folder };
  // Both wait for drivers much of their time. What pytest says is shown when vitest has done.
  const said = join(reports, 'pytest.log');
  const [vitest, pytest] = await Promise.all([runVitest(env), runPytests(env, said)]);
  process.stdout.write(readFileSync(said, 'utf8'));
  const tallies = [vitest, ...pytest];
  const left = await takeCensus({ runId, folder });
  if (left === null) console.log('census: skipped, this system has no /proc');
  for (const { pid, command } of left ?? []) {
    console.log(`left behind, killed: process ${pid}: ${command}`);
    process.kill(pid, 'SIGKILL');
  }
  if (left?.length === 0) rmSync(folder, { recursive: true, force: true });
  const failed = sum(tallies, 'failed') + (left !== null && left.length > 0 ? 1 : 0);
  const skipped = sum(tallies, 'skipped');
  console.log(
    `${sum(tallies, 'passed')} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`,
  );
  process.exitCode = failed > 0 ? 1 : 0;
}

async function runVitest(env: Record<string, string>): Promise<Tally> {
  const report = join(reports, 'vitest.json');
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const code = await runCommand(process.execPath, [vitest, 'run', ...reporters], { env });
  if (!existsSync(report)) return { passed: 0, failed: 1, skipped: 0 };
  // Vitest's own report, in the shape that Jest began.
  const counts = JSON.parse(readFileSync(report, 'utf8')) as Record<
    'numPassedTests' | 'numFailedTests' | 'numPendingTests' | 'numTodoTests',
    number
  >;
  return {
    passed: counts.numPassedTests,
    failed: atLeastOne(counts.numFailedTests, code),
    skipped: counts.numPendingTests + counts.numTodoTests,
  };
}

async function runPytests(env: Record<string, string>, outputFile: string): Promise<Tally[]> {
  const tallies: Tally[] = [];
  for (const home of ['python', 'examples/flights', 'test/sdk']) {
    appendFileSync(outputFile, `pytest ${home}/tests\n`);
    tallies.push(await runPytest(home, env, outputFile));
  }
  return tallies;
}

/** `home` holds the tests in its folder `tests`, and what they need to import. */
async function runPytest(home: string, env: Record<string, string>, outputFile: string): Promise<Tally> {
  const report = join(reports, `pytest-${basename(home)}.xml`);
  const args = ['-m', 'pytest', '-p', 'no:cacheprovider', `--junitxml=${report}`, 'tests'];
  const code = await runCommand(python, args, { cwd: join(root, home), env, outputFile });
  if (!existsSync(report)) return { passed: 0, failed: 1, skipped: 0 };
  const text = readFileSync(report, 'utf8');
  const count = (name: string) =>
    Number(new RegExp(`<testsuite [^>]*\\b${name}="(\\d+)"`).exec(text)?.[1] ?? 0);
  const failed = count('failures') + count('errors');
  const skipped = count('skipped');
  return { passed: count('tests') - failed - skipped, failed: atLeastOne(failed, code), skipped };
}

/** A runner may fail without a failed test: a file that does not load, an error after the last test. */
function atLeastOne(failed: number, exitCode: number) {
  return exitCode === 0 ? failed : Math.max(1, failed);
}

function sum(tallies: readonly Tally[], name: keyof Tally) {
  return tallies.reduce((total, tally) => total + tally[name], 0);
}

await main();
