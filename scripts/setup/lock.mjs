// One set-up at a time in a checkout: the second waits for the first and then finds everything done.
import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runtimeDir, SetupFailure, say } from './steps.mjs';

// The longest set-up seen took 6 minutes on a slow line.
const WAIT_MAX_MS = 30 * 60_000;

export async function withLock(work) {
  mkdirSync(join(runtimeDir, 'stamps'), { recursive: true });
  const path = join(runtimeDir, 'setup.lock');
  await takeLock(path);
  const release = () => rmSync(path, { force: true });
  const onSignal = () => {
    release();
    process.exit(130);
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  try {
    return await work();
  } finally {
    release();
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
  }
}

async function takeLock(path) {
  const deadlineMs = Date.now() + WAIT_MAX_MS;
  const own = `${path}.${process.pid}`;
  writeFileSync(own, String(process.pid));
  let hasSaid = false;
  try {
    while (!linkOnce(own, path)) {
      if (removeIfStale(path)) continue;
      if (!hasSaid) say(`another set-up is under way (process ${holderOf(path)}); waiting for it …`);
      hasSaid = true;
      if (Date.now() > deadlineMs) {
        throw new SetupFailure(
          `another set-up (process ${holderOf(path)}) holds ${path} for more than 30 minutes`,
          `end that process, remove ${path} and try again`,
        );
      }
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  } finally {
    rmSync(own, { force: true });
  }
}

/** A hard link appears with its content, so nobody ever reads an empty lock. */
function linkOnce(own, path) {
  try {
    linkSync(own, path);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
}

function removeIfStale(path) {
  const holder = holderOf(path);
  if (holder === null) return !existsSync(path);
  try {
    process.kill(holder, 0);
    return false;
  } catch (error) {
    if (error.code !== 'ESRCH') return false;
  }
  rmSync(path, { force: true });
  return true;
}

function holderOf(path) {
  try {
    return Number(readFileSync(path, 'utf8'));
  } catch {
    // Released between our two looks: the caller tries again.
    return null;
  }
}
