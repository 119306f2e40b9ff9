/** Has this process, or one that it starts, trust the authority that a server of this machine keeps (docs/tls.md). */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import tls from 'node:tls';

/** Undefined where no server of the folder has ever had one. */
export function findAuthority(stateDir: string): string | undefined {
  const file = path.join(stateDir, 'tls', 'ca.pem');
  return existsSync(file) ? file : undefined;
}

/** For every request after it. Servers elsewhere are judged as before. */
export function trustAuthority(stateDir: string): void {
  const file = findAuthority(stateDir);
  // Node before 22.19 cannot.
  if (file === undefined || typeof tls.setDefaultCACertificates !== 'function') return;
  tls.setDefaultCACertificates([...tls.getCACertificates('default'), readFileSync(file, 'utf8')]);
}
