// Step 2: the Python environment .runtime/python, from the pinned list python/requirements.lock.txt.
import { lstatSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ask, lastLines, root, run, runtimeDir, SetupFailure, step, warn } from './steps.mjs';

const lockPath = join(root, 'python', 'requirements.lock.txt');
const installerLockPath = join(root, 'python', 'installer.lock.txt');
const VERSION_MIN = [3, 10];
const CANDIDATES = ['python3', 'python3.13', 'python3.12', 'python3.11', 'python3.10', 'python'];
const PROBE =
  'import sys; print("%d.%d.%d %s" % (sys.version_info[0], sys.version_info[1], sys.version_info[2], sys.executable))';

export async function setUpPython() {
  const base = findPython();
  const home = join(runtimeDir, 'python');
  const python = join(home, 'bin', 'python');
  const inputs = [readFileSync(lockPath), base.version, base.path];
  await step('Python environment', { name: 'python', inputs, outputs: [python] }, () =>
    build(base, home, python),
  );
  await setUpInstaller(python);
  const sitePackages = ask(python, ['-c', 'import sysconfig; print(sysconfig.get_paths()["purelib"])']);
  if (!sitePackages.ok) {
    throw new SetupFailure(
      `${python} does not run:\n${lastLines(sitePackages.output)}`,
      `remove ${home} and try again (its Python may have been removed from the machine)`,
    );
  }
  return { path: python, version: base.version, sitePackages: sitePackages.output.trim() };
}

function findPython() {
  const seen = [];
  for (const name of [process.env.HEADRACE_PYTHON, ...CANDIDATES].filter(Boolean)) {
    const { ok, output } = ask(name, ['-I', '-c', PROBE]);
    if (!ok) continue;
    const line = output.trim();
    const version = line.slice(0, line.indexOf(' '));
    const [major, minor] = version.split('.').map(Number);
    if (major === VERSION_MIN[0] && minor >= VERSION_MIN[1])
      return { version, path: line.slice(version.length + 1) };
    seen.push(`${name} is ${version}`);
  }
  throw new SetupFailure(
    `Python ≥ 3.10 is needed, and there is none on the PATH${seen.length > 0 ? ` (${[...new Set(seen)].join(', ')})` : ''}`,
    'install Python 3.10 or later (Debian, Ubuntu: apt-get install python3 python3-venv), or name one in HEADRACE_PYTHON',
  );
}

async function build(base, home, python) {
  const modules = ask(base.path, ['-I', '-c', 'import venv, ensurepip']);
  if (!modules.ok) throw lacksVenv(base, modules.output);
  rmSync(home, { recursive: true, force: true });
  const created = await run(base.path, ['-I', '-m', 'venv', home]);
  if (!created.ok)
    throw /ensurepip/.test(created.output) ? lacksVenv(base, created.output) : pipFailure(created.output);
  const pip = [
    '-m',
    'pip',
    'install',
    '--quiet',
    '--no-deps',
    '--no-compile',
    '--disable-pip-version-check',
    '--no-input',
  ];
  // The build tools come first: pyspark is built from its source archive with ours instead of freshly fetched ones.
  const pins = readFileSync(lockPath, 'utf8').split('\n');
  const buildTools = pins.filter((line) => /^(setuptools|wheel|packaging)==/.test(line));
  for (const args of [
    [...pip, ...buildTools],
    [...pip, '--no-build-isolation', '-r', lockPath],
  ]) {
    const { ok, output } = await run(python, args);
    if (!ok) throw pipFailure(output);
  }
  // pip compiles one file after the other; a few packages carry files for other Pythons that do not compile: no failure.
  await run(python, ['-m', 'compileall', '-q', '-q', '-j', '0', join(home, 'lib')]);
}

/** Tasks' libraries are installed with it, five to ten times as fast as with pip; who cannot have it keeps pip. */
async function setUpInstaller(python) {
  // With the environment's age: a fresh one has no installer yet; one that cannot be had is not asked for again.
  const inputs = [readFileSync(installerLockPath), String(lstatSync(python, { bigint: true }).ctimeNs)];
  await step('Library installer', { name: 'installer', inputs, outputs: [] }, async () => {
    const { ok, output } = await run(python, [
      ...['-m', 'pip', 'install', '--quiet', '--no-deps', '--disable-pip-version-check', '--no-input'],
      ...['--only-binary', ':all:', '--require-hashes', '-r', installerLockPath],
    ]);
    if (!ok) warn(`no uv, so libraries of tasks are installed with pip: ${output.trim().split('\n').at(-1)}`);
  });
}

function lacksVenv(base, output) {
  const minor = base.version.split('.').slice(0, 2).join('.');
  return new SetupFailure(
    `${base.path} cannot make virtual environments (no venv or ensurepip module):\n${lastLines(output)}`,
    `Debian, Ubuntu: apt-get install python3-venv (or python${minor}-venv); elsewhere install a complete Python ≥ 3.10`,
  );
}

function pipFailure(output) {
  const cure = /No matching distribution|Could not find a version/.test(output)
    ? 'the package index lacks a pinned version for this Python or platform: check pip’s index setting (pip config list), or name another Python ≥ 3.10 in HEADRACE_PYTHON'
    : /Temporary failure|Connection|timed out|SSL|Max retries/i.test(output)
      ? 'check the network and pip’s index setting (pip config list), then try again'
      : /No space left/.test(output)
        ? 'free at least 3 GB of disk space and try again'
        : 'read pip’s words above, mend it and try again';
  return new SetupFailure(`installing the Python packages failed:\n${lastLines(output)}`, cure);
}
