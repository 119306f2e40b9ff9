// Step 6: a class-data archive: it halves the start of Spark's JVM (measured 2026-11 on 2 cores: 6.1 s to 3.6 s).
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ask, lastLines, root, run, runtimeDir, step, warn } from './steps.mjs';

// A warm-up takes 30–45 s on 2 quiet cores and was seen to take 300 s on loaded ones; beyond this it is stuck.
const WARM_UP_MAX_MS = 900_000;

const warmUp = join(root, 'scripts', 'setup', 'warm_up.py');

/**
 * Returns the archive's path, or null where the JVM refuses: jobs run without it, only slower.
 * The JVM heeds an archive only if its class path begins with exactly the one of the warm-up.
 */
export async function setUpClassData({ java, python, sparkHome, classPath, jvmOptions }) {
  const archive = join(runtimeDir, 'class-data', 'spark.jsa');
  const refused = join(runtimeDir, 'class-data', 'refused');
  const inputs = [
    ...[java.path, java.version, jvmOptions.join(' '), readFileSync(warmUp)],
    // The JVM too compares size and time of each jar, and ignores the archive when one differs.
    ...classPath.map((path) => `${path} ${statSync(path).size} ${statSync(path).mtimeMs}`),
  ];
  const done = existsSync(refused) ? refused : archive;
  await step(
    'class-data archive for fast JVM starts (once, about a minute)',
    { name: 'class-data', inputs, outputs: [done] },
    async () => {
      rmSync(join(runtimeDir, 'class-data'), { recursive: true, force: true });
      mkdirSync(join(runtimeDir, 'class-data'), { recursive: true });
      const fresh = `${archive}.new`;
      const folder = mkdtempSync(join(tmpdir(), 'headrace-warm-up-'));
      const result = await run(
        python.path,
        [warmUp, folder, java.path, fresh, classPath.join(':'), ...jvmOptions],
        {
          env: { SPARK_HOME: sparkHome, PYSPARK_PYTHON: python.path },
          timeoutMs: WARM_UP_MAX_MS,
        },
      );
      rmSync(folder, { recursive: true, force: true });
      const isAccepted = result.ok && existsSync(fresh) && accepts({ java, fresh, classPath, jvmOptions });
      if (isAccepted) return renameSync(fresh, archive);
      rmSync(fresh, { force: true });
      writeFileSync(refused, result.output);
      warn(`no class-data archive (JVMs will start slower):\n${lastLines(result.output)}`);
    },
  );
  return existsSync(archive) ? archive : null;
}

function accepts({ java, fresh, classPath, jvmOptions }) {
  const options = ['-Xshare:on', `-XX:SharedArchiveFile=${fresh}`, '-cp', classPath.join(':'), ...jvmOptions];
  return ask(java.path, [...options, '-version']).ok;
}
