/** A JAR of small main classes, compiled in the test by the Scala compiler that is among Spark's own jars. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

const repository = path.resolve(import.meta.dirname, '../../..');

const source = `
package demo

import org.apache.spark.sql.SparkSession

object Count {
  def main(args: Array[String]): Unit = {
    val spark = SparkSession.builder().getOrCreate()
    println(args.mkString("|") + " " + spark.range(10).count())
    println(spark.conf.get("spark.headrace.test", "none"))
    System.err.println("to standard error")
  }
}

object Write {
  def main(args: Array[String]): Unit = {
    val spark = SparkSession.builder().getOrCreate()
    spark.range(7).write.saveAsTable(args(0))
    println("written " + spark.table(args(0)).count())
    spark.stop()
  }
}

object Exit {
  def main(args: Array[String]): Unit = {
    System.err.println("leaving with " + args(0))
    System.exit(args(0).toInt)
  }
}

object Fail {
  def main(args: Array[String]): Unit =
    throw new IllegalStateException("the outer one", new RuntimeException("the inner one"))
}

object Sleep {
  def main(args: Array[String]): Unit = {
    sys.addShutdownHook(println("tidied up"))
    println("begun")
    Thread.sleep(600000)
  }
}

object Eat {
  def main(args: Array[String]): Unit = {
    val kept = new java.util.ArrayList[Array[Byte]]()
    while (true) kept.add(new Array[Byte](1 << 24))
  }
}

object NoMain { val nothing = 1 }
`;

/** Writes `demo.jar` into the folder; 10–20 s on a busy machine. */
export function compileJar(folder: string): string {
  const runtime = JSON.parse(fs.readFileSync(path.join(repository, '.runtime/runtime.json'), 'utf8')) as {
    java: string;
    classPath: string[];
  };
  fs.mkdirSync(folder, { recursive: true });
  const file = path.join(folder, 'Demo.scala');
  const jar = path.join(folder, 'demo.jar');
  fs.writeFileSync(file, source);
  const { status, stderr, stdout } = spawnSync(
    runtime.java,
    [
      ...['-cp', runtime.classPath.join(':'), 'scala.tools.nsc.Main', '-usejavacp', '-nowarn', '-d', jar],
      file,
    ],
    { encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(`${stdout}${stderr}`);
  return jar;
}
