// Builds one whl artifact: by its own `build` command, or by the project's build backend on a clean copy of its files,
// without network. The clock is pinned, so that the same source gives the same bytes.

import { spawn } from 'node:child_process';
import { copyFile, glob, mkdir, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { BundleError } from '../deploy/bundle-error.ts';
import { errorAt } from '../problem.ts';
import type { ResolvedArtifact, ResolvedBundle } from '../resolve/resolve-bundle.ts';

/** 1 January 1980: the first instant a zip file can name. */
const SOURCE_DATE_EPOCH = '315532800';
/** A pure Python wheel takes seconds; one that compiles, minutes. */
const BUILD_MS_MAX = 15 * 60 * 1000;
const OUTPUT_LINES_SHOWN = 20;
const OUTPUT_CHARS_MAX = 200_000;

export interface BuildOptions {
  /** The interpreter that builds; it brings setuptools or whatever backend the project names. */
  readonly python: string;
  /** The caller's environment: a build sees its PATH, HOME and pip settings, and nothing else of it. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

export interface BuiltFile {
  readonly name: string;
  readonly bytes: Buffer;
}

export async function buildWheel(
  artifact: ResolvedArtifact,
  bundle: ResolvedBundle,
  options: BuildOptions,
): Promise<BuiltFile[]> {
  return artifact.build === null
    ? await buildCopy(artifact, bundle, options)
    : await runBuildCommand(artifact, bundle, { ...options, command: artifact.build });
}

export function isBelow(file: string, folder: string): boolean {
  return folder === '' || file.startsWith(`${folder}/`);
}

export async function readBuilt(file: string): Promise<BuiltFile> {
  return { name: path.basename(file), bytes: await readFile(file) };
}

async function buildCopy(
  artifact: ResolvedArtifact,
  bundle: ResolvedBundle,
  { python, environment }: BuildOptions,
): Promise<BuiltFile[]> {
  const scratch = await mkdtemp(path.join(tmpdir(), 'headrace-wheel-'));
  const source = path.join(scratch, 'source');
  try {
    for (const local of bundle.localFiles.filter((file) => isBelow(file.path, artifact.path))) {
      const target = path.join(source, path.posix.relative(artifact.path, local.path));
      await mkdir(path.dirname(target), { recursive: true });
      await copyFile(path.join(bundle.folder, local.path), target);
    }
    const output = path.join(scratch, 'wheels');
    const command = [
      python,
      '-m',
      'pip',
      'wheel',
      '.',
      '--no-deps',
      '--no-build-isolation',
      '--no-index',
      '--wheel-dir',
      output,
    ];
    await run(artifact, { command, folder: source, python, environment });
    const names = (await readdir(output)).filter((name) => name.endsWith('.whl')).sort();
    return await Promise.all(names.map((name) => readBuilt(path.join(output, name))));
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function runBuildCommand(
  artifact: ResolvedArtifact,
  bundle: ResolvedBundle,
  { python, environment, command }: BuildOptions & { command: string },
): Promise<BuiltFile[]> {
  const startedAtMs = Date.now();
  const folder = path.join(bundle.folder, artifact.path);
  await run(artifact, { command: ['/bin/sh', '-c', command], folder, python, environment });
  const patterns =
    artifact.sources.length > 0 ? artifact.sources : [path.posix.join(artifact.path, 'dist/*.whl')];
  const found: { file: string; changedAtMs: number }[] = [];
  for await (const match of glob(patterns, { cwd: bundle.folder })) {
    const file = path.join(bundle.folder, match);
    found.push({ file, changedAtMs: (await stat(file)).mtimeMs });
  }
  // What an older version left in dist is not part of this build, unless the build had nothing to do.
  const fresh = found.filter(({ changedAtMs }) => changedAtMs >= startedAtMs - 1_000);
  const files = (fresh.length > 0 ? fresh : found).map(({ file }) => file).sort();
  return await Promise.all(files.map(readBuilt));
}

interface Command extends BuildOptions {
  readonly command: readonly string[];
  readonly folder: string;
}

async function run(artifact: ResolvedArtifact, { command, folder, ...options }: Command): Promise<void> {
  const [program = '', ...parameters] = command;
  const { code, output } = await new Promise<{ code: number | string; output: string }>((resolve) => {
    const child = spawn(program, parameters, {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: BUILD_MS_MAX,
      env: buildEnvironment(options),
    });
    let text = '';
    const collect = (chunk: Buffer) => {
      text = (text + chunk.toString('utf8')).slice(-OUTPUT_CHARS_MAX);
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    child.on('error', (error) => resolve({ code: error.message, output: text }));
    child.on('close', (exitCode, signal) => resolve({ code: exitCode ?? `signal ${signal}`, output: text }));
  });
  if (code === 0) return;
  const shown = output.trimEnd().split('\n').slice(-OUTPUT_LINES_SHOWN).join('\n');
  throw new BundleError([
    errorAt(
      artifact.at,
      `artifact ${artifact.name}: the build failed (${code}): ${parameters.join(' ')}\n${shown}`,
    ),
  ]);
}

/** `python` in a build command means the given interpreter. */
function buildEnvironment({ python, environment }: BuildOptions): Record<string, string> {
  const inherited = ['HOME', 'LANG', 'LC_ALL', 'TMPDIR', 'PIP_CONFIG_FILE'].flatMap(
    (name): [string, string][] => {
      const value = environment[name];
      return value === undefined ? [] : [[name, value]];
    },
  );
  return {
    ...Object.fromEntries(inherited),
    PATH: [path.dirname(python), environment.PATH ?? '/usr/bin:/bin'].join(path.delimiter),
    SOURCE_DATE_EPOCH,
    PIP_DISABLE_PIP_VERSION_CHECK: '1',
    PYTHONHASHSEED: '0',
  };
}
