/** How a worker on its own is started: from its sources in a checkout, else from what the build made. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** Arguments for Node. */
export function findWorkerCommand(): readonly string[] {
  const worker = fileURLToPath(new URL('../../../worker/', import.meta.url));
  const source = path.join(worker, 'src', 'main.ts');
  if (!existsSync(source)) return [path.join(worker, 'dist', 'main.js')];
  return ['--conditions=source', '--disable-warning=ExperimentalWarning', source];
}
