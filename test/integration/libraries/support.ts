/** Wheels made in the test, by the helper of the Python tests: no test needs an index. */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import type { LibraryDocument } from '../../../packages/worker/src/protocol.ts';
import type { HostBench } from '../host/support.ts';

const repository = path.resolve(import.meta.dirname, '../../..');

export interface WheelOptions {
  readonly folder: string;
  readonly name: string;
  readonly version: string;
  /** Path in the wheel → text. */
  readonly files: Readonly<Record<string, string>>;
}

/** Returns its path. */
export function makeWheel({ folder, name, version, files }: WheelOptions): string {
  const script = `
import json, pathlib, sys
from support.wheels import make_wheel
folder, name, version, files = json.loads(sys.argv[1])
print(make_wheel(pathlib.Path(folder), name, files, version=version))
`;
  const { stdout, stderr, status } = spawnSync(
    path.join(repository, '.runtime/python/bin/python'),
    ['-c', script, JSON.stringify([folder, name, version, files])],
    { encoding: 'utf8', env: { PYTHONPATH: path.join(repository, 'python/tests') } },
  );
  if (status !== 0) throw new Error(stderr);
  return stdout.trim();
}

/** A package of one module that says its version. */
export function makeVersion(bench: HostBench, name: string, version: string): LibraryDocument {
  const files = { [`${name}.py`]: `VERSION = "${name} ${version}"\n` };
  return { whl: makeWheel({ folder: path.join(bench.folder, 'wheels'), name, version, files }) };
}

export function aTaskWith(bench: HostBench, libraries: readonly LibraryDocument[], script: string) {
  const attempt = bench.aTask(script);
  return { ...attempt, document: { ...attempt.document, libraries } };
}

/** What a task printed, without what its installation said. */
export function printed(bench: HostBench, attempt: ReturnType<HostBench['aTask']>): string[] {
  return bench
    .log(attempt)
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('[libraries] '));
}
