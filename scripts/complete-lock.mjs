// Adds to package-lock.json the optional packages of other platforms that npm left out.
// npm writes no entry for a platform package which the registry at hand does not carry, and then `npm ci` refuses the
// lock everywhere ("Missing: … from lock file"). Run it after `npm install`; a complete lock is left as it is.
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const SYSTEMS = [
  'aix',
  'android',
  'darwin',
  'freebsd',
  'linux',
  'netbsd',
  'openbsd',
  'openharmony',
  'sunos',
  'win32',
];
const PROCESSORS = ['arm', 'arm64', 'ia32', 'loong64', 'ppc64', 'riscv64', 's390x', 'wasm32', 'x64'];

const path = join(dirname(fileURLToPath(import.meta.url)), '..', 'package-lock.json');
const lock = JSON.parse(readFileSync(path, 'utf8'));
const missing = Object.entries(lock.packages).flatMap(([parent, entry]) =>
  Object.entries(entry.optionalDependencies ?? {})
    .filter(([name]) => !isLocked(parent, name))
    .map(([name, version]) => [`node_modules/${name}`, toEntry(name, version, entry)]),
);
const packages = Object.fromEntries(
  [...Object.entries(lock.packages), ...missing].sort(([left], [right]) => left.localeCompare(right, 'en')),
);
if (missing.length > 0) writeFileSync(path, `${JSON.stringify({ ...lock, packages }, null, 2)}\n`);
process.stdout.write(`package-lock.json: ${missing.length} platform packages added\n`);

function isLocked(parent, name) {
  return [`${parent}/node_modules/${name}`, `node_modules/${name}`].some(
    (key) => lock.packages[key] !== undefined,
  );
}

/** The name says for which platform it is: @scope/cli-linux-x64-musl. */
function toEntry(name, version, parent) {
  if (!/^\d/.test(version))
    throw new Error(`${name} is wanted as ${version}: only an exact version can be locked by hand`);
  const words = name.split(/[-_/.]/);
  const os = words.filter((word) => SYSTEMS.includes(word));
  const cpu = words.filter((word) => PROCESSORS.includes(word));
  if (os.length !== 1 || cpu.length !== 1) throw new Error(`cannot tell the platform of ${name} by its name`);
  const musl = words.some((word) => word.startsWith('musl')) ? { libc: ['musl'] } : {};
  return { version, cpu, ...(parent.dev ? { dev: true } : {}), ...musl, optional: true, os };
}
