// Builds one artifact: by its own `build` command, or a wheel by the project's build backend on a clean copy of its
// files, without network. The clock is pinned, so that the same source gives the same bytes.

import { copyFile, glob, mkdir, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { BundleError } from '../deploy/bundle-error.ts';
import { errorAt } from '../problem.ts';
import type { ResolvedArtifact, ResolvedBundle } from '../resolve/resolved-bundle.ts';
import { isBelow, isBuilt, outputPatterns } from './artifact-files.ts';
import { patchVersion } from './patch-version.ts';
import { type BuildOptions, runBuild } from './run-build.ts';

export interface BuiltFile {
  readonly name: string;
  readonly bytes: Buffer;
}

/** @param sourceHash of all that goes into it: what a dynamic version is made of */
export async function buildArtifact(
  artifact: ResolvedArtifact,
  bundle: ResolvedBundle,
  options: BuildOptions & { readonly sourceHash: string },
): Promise<BuiltFile[]> {
  const built = await build(artifact, bundle, options);
  if (built.length === 0) throw new BundleError([errorAt(artifact.at, describeNothing(artifact))]);
  if (!artifact.dynamicVersion) return built;
  return await Promise.all(built.map((file) => patchVersion(file, artifact, options)));
}

function build(
  artifact: ResolvedArtifact,
  bundle: ResolvedBundle,
  options: BuildOptions,
): Promise<BuiltFile[]> {
  if (artifact.build !== null) return runBuildCommand(artifact, bundle, artifact.build, options);
  if (!isBuilt(artifact, bundle)) return readOutputs(artifact, bundle, { notBeforeMs: 0 });
  return buildCopy(artifact, bundle, options);
}

function describeNothing(artifact: ResolvedArtifact): string {
  const patterns = outputPatterns(artifact).join(', ');
  if (artifact.type === 'whl' && artifact.build === null && artifact.sources.length === 0)
    return `artifact ${artifact.name}: the build left no wheel (.whl)`;
  if (patterns === '')
    return `artifact ${artifact.name}: it names no files; write which the build leaves as files: [{source: <pattern>}]`;
  return artifact.build === null
    ? `artifact ${artifact.name}: no file matches ${patterns}; build it first, or give a build command`
    : `artifact ${artifact.name}: the build left no file that matches ${patterns}`;
}

async function buildCopy(
  artifact: ResolvedArtifact,
  bundle: ResolvedBundle,
  options: BuildOptions,
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
      ...[options.python, '-m', 'pip', 'wheel', '.', '--no-deps', '--no-build-isolation', '--no-index'],
      ...['--wheel-dir', output],
    ];
    await runBuild(artifact, { command, folder: source, ...options });
    const names = (await readdir(output)).filter((name) => name.endsWith('.whl')).sort();
    return await Promise.all(names.map((name) => readBuilt(path.join(output, name))));
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function runBuildCommand(
  artifact: ResolvedArtifact,
  bundle: ResolvedBundle,
  text: string,
  options: BuildOptions,
): Promise<BuiltFile[]> {
  const startedAtMs = Date.now();
  const folder = path.join(bundle.folder, artifact.path);
  await runBuild(artifact, { command: toShellCommand(artifact.executable, text), folder, ...options });
  // File systems round times, some to a second.
  return readOutputs(artifact, bundle, { notBeforeMs: startedAtMs - 1_000 });
}

/** A command of several lines ends with the first that fails. */
function toShellCommand(executable: ResolvedArtifact['executable'], text: string): string[] {
  const shell = executable ?? (process.platform === 'win32' ? 'cmd' : '/bin/sh');
  return shell === 'cmd' ? ['cmd.exe', '/D', '/S', '/C', text] : [shell, '-e', '-c', text];
}

async function readOutputs(
  artifact: ResolvedArtifact,
  bundle: ResolvedBundle,
  { notBeforeMs }: { readonly notBeforeMs: number },
): Promise<BuiltFile[]> {
  const found: { file: string; changedAtMs: number }[] = [];
  for await (const match of glob([...outputPatterns(artifact)], { cwd: bundle.folder })) {
    const file = path.join(bundle.folder, match);
    const { mtimeMs, isFile } = await stat(file).then((stats) => ({
      mtimeMs: stats.mtimeMs,
      isFile: stats.isFile(),
    }));
    if (isFile) found.push({ file, changedAtMs: mtimeMs });
  }
  // What an older version left there is not part of this build, unless the build had nothing to do.
  const fresh = found.filter(({ changedAtMs }) => changedAtMs >= notBeforeMs);
  const files = (fresh.length > 0 ? fresh : found).map(({ file }) => file).sort();
  return await Promise.all(files.map(readBuilt));
}

export async function readBuilt(file: string): Promise<BuiltFile> {
  return { name: path.basename(file), bytes: await readFile(file) };
}
