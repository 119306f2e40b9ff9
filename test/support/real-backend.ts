/** Real hosts for a server of a test: processes below a folder of the test's own. */
import path from 'node:path';
import { createLocalBackend, readHostRuntime } from '../../packages/worker/src/hosts/local/local-backend.ts';

const repository = path.resolve(import.meta.dirname, '../..');

export function createRealBackend(
  folder: string,
  { hasSpark = false }: { readonly hasSpark?: boolean } = {},
) {
  const runtime = readHostRuntime(path.join(repository, '.runtime/runtime.json'));
  return createLocalBackend({
    hostsFolder: path.join(folder, 'hosts'),
    dataRoot: path.join(folder, 'data'),
    runtime: hasSpark ? runtime : { ...runtime, spark: null },
    pythonPath: path.join(repository, 'python'),
    preimport: [],
    warmUp: false,
    environment: process.env,
    workerId: 'w',
  });
}
