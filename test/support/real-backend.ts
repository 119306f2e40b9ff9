/** Real hosts for a server of a test: processes below a folder of the test's own. */
import path from 'node:path';
import {
  createLocalBackend,
  type LocalBackendOptions,
  readHostRuntime,
} from '../../packages/worker/src/hosts/local/local-backend.ts';

const repository = path.resolve(import.meta.dirname, '../..');

interface RealOptions {
  readonly hasSpark?: boolean;
}

export function createRealBackend(folder: string, options: RealOptions = {}) {
  return createLocalBackend(realBackendOptions(folder, options));
}

export function realBackendOptions(
  folder: string,
  { hasSpark = false }: RealOptions = {},
): LocalBackendOptions {
  const runtime = readHostRuntime(path.join(repository, '.runtime/runtime.json'));
  return {
    hostsFolder: path.join(folder, 'hosts'),
    dataRoot: path.join(folder, 'data'),
    runtime: hasSpark ? runtime : { ...runtime, spark: null },
    pythonPath: path.join(repository, 'python'),
    preimport: [],
    warmUp: false,
    environment: process.env,
    workerId: 'w',
  };
}
