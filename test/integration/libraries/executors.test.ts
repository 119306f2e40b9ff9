/** Libraries on executors of a Spark master: Python workers and class loaders over there see what their own task has. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createSparkStandaloneBackend } from '../../../packages/worker/src/hosts/spark-standalone/spark-standalone-backend.ts';
import { SparkCluster } from '../../support/spark-cluster.ts';
import { useHostBench } from '../host/support.ts';
import { aTaskWith, makeVersion, printed } from './support.ts';

/** Three JVMs and an executor on a busy machine. */
const patienceMs = 600_000;

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'hr-executors-'));
const spark = new SparkCluster(path.join(folder, 'spark'));
beforeAll(async () => {
  await spark.startMaster();
  await spark.startWorkers(1, { cores: 2, memory: '512m' });
}, patienceMs);
afterAll(async () => {
  await spark.end();
  fs.rmSync(folder, { recursive: true, force: true });
}, patienceMs);
const bench = useHostBench({
  spark: true,
  open: (options) => createSparkStandaloneBackend({ ...options, master: spark.url }),
});

/** Two jars with a class of their own, compiled by what is among Spark's own jars. */
const makeJars = (place: string) => `
from pyspark.sql import SparkSession
import os, zipfile
spark = SparkSession.builder.getOrCreate()
for word in ("one", "two"):
    with zipfile.ZipFile(f"${place}/{word}.jar", "w") as jar:
        name = "Only" + word
        compiler = spark._jvm.org.codehaus.janino.SimpleCompiler()
        compiler.cook('package demo; public class %s { public static String greet() { return "%s"; } }' % (name, word))
        for part, code in dict(compiler.getBytecodes()).items():
            jar.writestr(part.replace(".", "/") + ".class", bytes(code))
print("made")
`;

const ask = (word: string) => `
from pyspark.sql import SparkSession
from pyspark.sql.functions import udf
import os
spark = SparkSession.builder.getOrCreate()
def version(_):
    import toolbox
    return toolbox.VERSION
for _ in range(2):
    print(sorted({row[0] for row in spark.range(4).repartition(2).select(udf(version)("id")).collect()}))
print(spark.range(1).selectExpr("java_method('demo.Only${word}', 'greet')").first()[0])
spark.range(4).write.format("delta").save("${folder}/table-${word}")
print(spark.read.format("delta").load("${folder}/table-${word}").count())
`;

test(
  'two tasks with other versions of a package share executors, and have their own classes there',
  async () => {
    await bench().startWorker();
    const { source } = bench();
    const sparkConf = {
      'spark.master': 'local[2]',
      ...{ 'spark.executor.cores': '2', 'spark.executor.memory': '512m', 'spark.driver.memory': '512m' },
    };
    const executors = { min: 1, max: 1, node: null };
    const placed = <Attempt extends ReturnType<typeof aTaskWith>>(attempt: Attempt) => ({
      ...attempt,
      cluster: { ...attempt.cluster, hostKey: 'placed', sparkConf, executors },
    });
    const maker = placed(aTaskWith(bench(), [], makeJars(folder)));
    source.offer(maker);
    await source.reported(maker.attemptId, 'ended');
    expect(printed(bench(), maker)).toEqual(['made']);
    const [one, two] = (['one', 'two'] as const).map((word) =>
      placed(
        aTaskWith(
          bench(),
          [makeVersion(bench(), 'toolbox', word === 'one' ? '1.0' : '2.0'), { jar: `${folder}/${word}.jar` }],
          ask(word),
        ),
      ),
    );
    if (one === undefined || two === undefined) throw new Error('two tasks were made');

    source.offer(one, two);
    for (const each of [one, two]) await source.reported(each.attemptId, 'ended');

    expect(printed(bench(), one)).toEqual(["['toolbox 1.0']", "['toolbox 1.0']", 'one', '4']);
    expect(printed(bench(), two)).toEqual(["['toolbox 2.0']", "['toolbox 2.0']", 'two', '4']);
  },
  patienceMs,
);
