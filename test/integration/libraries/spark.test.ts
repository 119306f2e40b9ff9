/** Libraries and Spark: Python workers and class loaders of two tasks on one JVM see what their own task has. */
import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { useHostBench } from '../host/support.ts';
import { aTaskWith, makeVersion, printed } from './support.ts';

const bench = useHostBench({ spark: true });
/** A cold JVM on a busy machine, and one more for the resolver. */
const secondsMax = 300;

/** Two jars with a class of one name, compiled by what is among Spark's own jars; the second in a Maven repository. */
const makeJars = (folder: string) => `
import os, zipfile
def make(path, word):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with zipfile.ZipFile(path, "w") as jar:
        for name in ("Greeter", "Only" + word):
            compiler = spark._jvm.org.codehaus.janino.SimpleCompiler()
            compiler.cook("package demo; public class %s { public static String greet() { return \\"%s\\"; } }" % (name, word))
            for name, code in dict(compiler.getBytecodes()).items():
                jar.writestr(name.replace(".", "/") + ".class", bytes(code))
make("${folder}/one.jar", "one")
make("${folder}/repo/demo/greeter/2.0/greeter-2.0.jar", "two")
pom = "<project><modelVersion>4.0.0</modelVersion><groupId>demo</groupId><artifactId>greeter</artifactId><version>2.0</version></project>"
open("${folder}/repo/demo/greeter/2.0/greeter-2.0.pom", "w").write(pom)
print("made")
`;

const ask = (word: string) => `
from pyspark.sql.functions import udf
def version(_):
    import toolbox
    return toolbox.VERSION
for _ in range(2):
    print(sorted({row[0] for row in spark.range(4).repartition(2).select(udf(version)("id")).collect()}))
print(spark._jvm.demo.Greeter.greet())
# On an executor; of one class in two versions Spark's executors may take the first for both.
print(spark.range(1).selectExpr("java_method('demo.Only${word}', 'greet')").first()[0])
`;

const notebook = (wheel: string) => `# Databricks notebook source
from pyspark.sql.functions import udf
def version(_):
    import toolbox
    return toolbox.VERSION
spark.range(3).createOrReplaceTempView("kept")
# COMMAND ----------
# MAGIC %pip install --no-index --quiet ${wheel}
# COMMAND ----------
print(spark.range(1).select(udf(version)("id")).first()[0])
dbutils.library.restartPython()
# COMMAND ----------
from pyspark.sql.functions import udf
print(spark.table("kept").count(), "version" in globals())
print(spark.range(1).select(udf(lambda _: __import__("toolbox").VERSION)("id")).first()[0])
`;

test(
  'two tasks with other versions of a package and of a class share one JVM',
  async () => {
    await bench().startWorker();
    const { folder, source } = bench();
    const maker = bench().aTask(makeJars(folder));
    source.offer(maker);
    await source.reported(maker.attemptId, 'ended');
    expect(printed(bench(), maker)).toEqual(['made']);

    const one = aTaskWith(
      bench(),
      [makeVersion(bench(), 'toolbox', '1.0'), { jar: `${folder}/one.jar` }],
      ask('one'),
    );
    const two = aTaskWith(
      bench(),
      [
        makeVersion(bench(), 'toolbox', '2.0'),
        { maven: { coordinates: 'demo:greeter:2.0', repo: `file://${folder}/repo`, exclusions: [] } },
      ],
      ask('two'),
    );
    const missing = aTaskWith(
      bench(),
      [{ maven: { coordinates: 'demo:nothing:1.0', repo: `file://${folder}/repo`, exclusions: [] } }],
      'print("user code")',
    );
    const third = makeVersion(bench(), 'toolbox', '3.0');
    const restarted = aNotebook(notebook('whl' in third ? third.whl : ''));
    source.offer(one, two, missing, restarted);
    for (const each of [one, two, missing, restarted]) await source.reported(each.attemptId, 'ended');

    expect(printed(bench(), one)).toEqual(["['toolbox 1.0']", "['toolbox 1.0']", 'one', 'one']);
    expect(printed(bench(), two)).toEqual(["['toolbox 2.0']", "['toolbox 2.0']", 'two', 'two']);
    expect((await source.reported(missing.attemptId, 'ended')).outcome).toMatchObject({
      kind: 'failed',
      failure: {
        code: 'LIBRARY_INSTALLATION_ERROR',
        message: expect.stringContaining('demo#nothing;1.0: not found'),
      },
    });
    expect(printed(bench(), restarted)).toEqual(['toolbox 3.0', '3 False', 'toolbox 3.0']);
  },
  secondsMax * 1000,
);

function aNotebook(text: string) {
  const attempt = bench().aTask('');
  const folder = path.join(attempt.document.data_root, 'workspace/Users/ann');
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(path.join(folder, 'restarts'), text);
  const task = { kind: 'notebook', notebook_path: '/Users/ann/restarts', parameters: {} } as const;
  return { ...attempt, document: { ...attempt.document, task } };
}
