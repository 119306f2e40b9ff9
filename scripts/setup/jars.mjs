// Step 4: Delta's jars through Spark's own resolver, checked against scripts/jars.sha256; step 5: our Spark plug-in.
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
} from 'node:fs';
import { join } from 'node:path';
import { ask, lastLines, root, run, runtimeDir, SetupFailure, sha256OfFile, step } from './steps.mjs';

const COORDINATE = 'io.delta:delta-spark_4.2_2.13:4.4.0';
// Spark ships these itself; without the exclusion the resolver would fetch 70 MB that nobody uses.
const EXCLUDED = [
  'org.apache.hadoop:hadoop-client-api',
  'org.apache.hadoop:hadoop-client-runtime',
  'com.github.luben:zstd-jni',
  'org.xerial.snappy:snappy-java',
  'org.apache.logging.log4j:log4j-core',
];
const MACHINE_CERTIFICATES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem',
];

const JAR_TIME = new Date('2026-01-01T00:00:00Z');

const hashesPath = join(root, 'scripts', 'jars.sha256');

/** Returns the jars' paths in class path order; every set-up checks every hash (14 MB, 0.05 s). */
export async function setUpDeltaJars({ java, python, sparkHome }) {
  const wanted = readFileSync(hashesPath, 'utf8')
    .trim()
    .split('\n')
    .map((line) => ({ hash: line.slice(0, 64), name: line.slice(66) }));
  const folder = join(runtimeDir, 'jars');
  const isRight = ({ hash, name }) =>
    existsSync(join(folder, name)) && sha256OfFile(join(folder, name)) === hash;
  if (!wanted.every(isRight)) rmSync(join(runtimeDir, 'stamps', 'jars'), { force: true });
  const outputs = wanted.map(({ name }) => join(folder, name));
  await step('Delta jars', { name: 'jars', inputs: [readFileSync(hashesPath)], outputs }, async () => {
    const resolved = await resolve({ java, python, sparkHome, wanted });
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    for (const { name } of wanted) {
      copyFileSync(join(resolved, name), join(folder, name));
      // The same jar keeps the same time: the class-data archive depends on it.
      utimesSync(join(folder, name), JAR_TIME, JAR_TIME);
    }
    const wrong = wanted.filter((jar) => !isRight(jar));
    if (wrong.length > 0) throw wrongHash(wrong, folder);
    rmSync(join(runtimeDir, 'ivy'), { recursive: true, force: true });
  });
  return outputs;
}

function wrongHash(wrong, folder) {
  const lines = wrong.map(
    ({ hash, name }) => `${name}: expected ${hash}, got ${sha256OfFile(join(folder, name))}`,
  );
  rmSync(folder, { recursive: true, force: true });
  rmSync(join(runtimeDir, 'ivy'), { recursive: true, force: true });
  return new SetupFailure(
    `jars differ from scripts/jars.sha256 and were thrown away:\n${lines.join('\n')}`,
    'try again; if it stays so, something between you and the jar repository changes files: do not use them',
  );
}

async function resolve({ java, python, sparkHome, wanted }) {
  const ivy = join(runtimeDir, 'ivy');
  const hasAll = () => wanted.every(({ name }) => existsSync(join(ivy, 'jars', name)));
  const submit = (options) =>
    run(java.path, [
      ...options,
      ...proxyOptions(),
      ...['-cp', join(sparkHome, 'jars', '*'), 'org.apache.spark.deploy.SparkSubmit'],
      ...['--packages', COORDINATE, '--exclude-packages', EXCLUDED.join(',')],
      // The resolver has done its work when Spark then misses the class, which is how we end it.
      ...['--conf', `spark.jars.ivy=${ivy}`, '--class', 'nothing.There', 'spark-internal'],
    ]);
  let { output } = await submit([]);
  if (!hasAll() && /PKIX|certification path|SSLHandshake/.test(output)) {
    const options = machineTrust(python);
    if (options !== null) ({ output } = await submit(options));
  }
  if (hasAll()) return join(ivy, 'jars');
  const reason = output.split('\n').filter((line) => /not found|error|exception|unresolved/i.test(line));
  const cure = /PKIX|certification path/.test(output)
    ? 'name your organisation’s certificates in SSL_CERT_FILE (PEM) and try again'
    : 'check that this machine reaches the Maven repositories (HTTPS_PROXY is heeded) and try again';
  throw new SetupFailure(
    `Spark’s resolver did not bring ${COORDINATE}:\n${lastLines(reason.join('\n'))}`,
    cure,
  );
}

/** Java trusts only the authorities it ships; a machine behind an inspecting proxy has its own in a PEM file. */
function machineTrust(python) {
  const pem = [process.env.SSL_CERT_FILE, ...MACHINE_CERTIFICATES].find((path) => path && existsSync(path));
  if (pem === undefined) return null;
  const store = join(runtimeDir, 'trust.p12');
  const { ok } = ask(python.path, [
    '-W',
    'ignore',
    join(root, 'scripts', 'setup', 'trust_store.py'),
    pem,
    store,
  ]);
  if (!ok) return null;
  return ['trustStore='.concat(store), 'trustStorePassword=changeit', 'trustStoreType=PKCS12'].map(
    (option) => `-Djavax.net.ssl.${option}`,
  );
}

/** The JVM does not read the proxy variables which npm and pip heed. */
function proxyOptions() {
  const address = process.env.HTTPS_PROXY ?? process.env.https_proxy;
  if (!address || !URL.canParse(address)) return [];
  const { hostname, port } = new URL(address);
  return [`-Dhttps.proxyHost=${hostname}`, `-Dhttps.proxyPort=${port || '80'}`];
}

/** Compiles jvm/src with the compiler inside Spark's jars; null while there is nothing to compile. */
export async function setUpPlugIn({ java, sparkHome, deltaJars }) {
  const folder = join(root, 'jvm', 'src');
  const sources = existsSync(folder)
    ? readdirSync(folder, { recursive: true })
        .filter((name) => /\.(scala|java)$/.test(name))
        .sort()
        .map((name) => join(folder, name))
    : [];
  if (sources.length === 0) return null;
  const jar = join(runtimeDir, 'plugin', 'headrace-plugin.jar');
  const inputs = [
    ...sources.flatMap((path) => [path, readFileSync(path)]),
    deltaJars.join(),
    sparkHome,
    java.version,
  ];
  await step('Spark plug-in', { name: 'plugin', inputs, outputs: [jar] }, async () => {
    mkdirSync(join(runtimeDir, 'plugin'), { recursive: true });
    const fresh = join(runtimeDir, 'plugin', 'new.jar');
    const classPath = [...deltaJars, join(sparkHome, 'jars', '*')].join(':');
    const { ok, output } = await run(java.path, [
      ...['-cp', classPath, 'scala.tools.nsc.Main', '-usejavacp', '-nowarn', '-d', fresh],
      ...sources,
    ]);
    if (!ok)
      throw new SetupFailure(
        `compiling jvm/src failed:\n${lastLines(output)}`,
        'mend the sources and try again',
      );
    renameSync(fresh, jar);
  });
  return jar;
}
