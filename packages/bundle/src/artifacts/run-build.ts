// Runs one command of a build. It sees little of the caller's environment; when it fails, its last words are shown.

import { spawn } from 'node:child_process';
import path from 'node:path';
import { BundleError } from '../deploy/bundle-error.ts';
import { errorAt } from '../problem.ts';
import type { ResolvedArtifact } from '../resolve/resolved-bundle.ts';

/** 1 January 1980: the first instant a zip file can name. */
const SOURCE_DATE_EPOCH = '315532800';
/** A pure Python wheel takes seconds; one that compiles, minutes. */
const BUILD_MS_MAX = 15 * 60 * 1000;
const OUTPUT_LINES_SHOWN = 20;
const OUTPUT_CHARS_MAX = 200_000;
/** What build tools need to find their files and the way out; tokens of servers are not among it. */
const INHERITED =
  /^(HOME|USER|LANG|LC_ALL|TMPDIR|TEMP|TMP|SYSTEMROOT|COMSPEC|VIRTUAL_ENV|SSL_CERT_FILE|JAVA_HOME|JAVA_OPTS|SCALA_HOME|(HTTPS?|NO|ALL)_PROXY|(PIP|UV|POETRY|HATCH|MAVEN|GRADLE|SBT|COURSIER|CARGO|XDG)_\w+)$/i;

export interface BuildOptions {
  /** The interpreter that builds; it brings setuptools or whatever backend the project names. */
  readonly python: string;
  /** The caller's. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

export interface BuildCommand extends BuildOptions {
  readonly command: readonly string[];
  readonly folder: string;
}

export async function runBuild(
  artifact: ResolvedArtifact,
  { command, folder, ...options }: BuildCommand,
): Promise<void> {
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
  const message = `artifact ${artifact.name}: the build failed (${code}): ${parameters.join(' ')}\n${shown}`;
  throw new BundleError([errorAt(artifact.at, message)]);
}

/** `python` in a build command means the given interpreter. */
function buildEnvironment({ python, environment }: BuildOptions): Record<string, string> {
  const inherited = Object.entries(environment).flatMap(([name, value]): [string, string][] =>
    value !== undefined && INHERITED.test(name) ? [[name, value]] : [],
  );
  return {
    ...Object.fromEntries(inherited),
    PATH: [path.dirname(python), environment.PATH ?? '/usr/bin:/bin'].join(path.delimiter),
    SOURCE_DATE_EPOCH,
    PIP_DISABLE_PIP_VERSION_CHECK: '1',
    PYTHONHASHSEED: '0',
  };
}
