/** How the server is started: from its sources in a checkout, else from what the build made. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** Arguments for Node. */
export function findServerCommand(): readonly string[] {
  const server = fileURLToPath(new URL('../../../server/', import.meta.url));
  const source = path.join(server, 'src', 'main.ts');
  if (!existsSync(source)) return [path.join(server, 'dist', 'main.js')];
  return ['--conditions=source', '--disable-warning=ExperimentalWarning', source];
}
