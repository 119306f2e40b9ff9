/** A Spark session as Spark itself makes it, beside a warehouse: the same conf, heap and tables, no Headrace. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { readRuntime } from './baselines.ts';

export interface BareSpark {
  /** Milliseconds from the statement to all rows in Python, and how many those are. */
  run(statement: string): Promise<{ readonly ms: number; readonly rows: number }>;
  stop(): Promise<void>;
}

/** Of the warehouse's conf: what belongs to its own process, names its catalogs, or is ours alone. */
const own =
  /^spark\.(app\.|driver\.(host|port|bindAddress|extra)|sql\.(catalog\.(?!spark_catalog$)|extensions|defaultCatalog|warehouse)|local\.dir|delta\.logStore|hadoop\.|executor|submit|repl|jars|files|ui|master$|yarn|pyspark|python|headrace)/;
const delta = 'io.delta.sql.DeltaSparkSessionExtension';

export async function startBareSpark(options: {
  readonly folder: string;
  readonly conf: ReadonlyMap<string, string>;
  readonly tables: Readonly<Record<string, string>>;
}): Promise<BareSpark> {
  const { python, spark } = readRuntime();
  if (spark === null) throw new Error('this machine has no Spark');
  const conf = {
    ...Object.fromEntries([...options.conf].filter(([name]) => !own.test(name))),
    'spark.master': 'local[2]',
    'spark.driver.memory': options.conf.get('spark.driver.memory') ?? '1g',
    'spark.ui.enabled': 'false',
    'spark.sql.extensions': delta,
    'spark.sql.warehouse.dir': path.join(options.folder, 'warehouse'),
  };
  const jars = spark.classPath.filter((jar) => !jar.startsWith(spark.sparkHome)).join(path.delimiter);
  const script = fileURLToPath(new URL('tpch.py', import.meta.url));
  const { PATH, HOME, LANG } = process.env;
  const child = spawn(python, [script, ...[conf, jars, options.tables].map((part) => JSON.stringify(part))], {
    cwd: options.folder,
    env: { PATH, HOME, LANG, JAVA_HOME: path.resolve(spark.java, '../..'), SPARK_LOCAL_IP: '127.0.0.1' },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let complaints = '';
  child.stderr.setEncoding('utf8').on('data', (piece: string) => {
    complaints = (complaints + piece).slice(-4_000);
  });
  const ended = once(child, 'close');
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error(`the bare Spark ended: ${complaints}`);
    return JSON.parse(value) as { ms: number; rows: number };
  };
  await answer();
  return {
    async run(statement) {
      child.stdin.write(`${JSON.stringify(statement)}\n`);
      return await answer();
    },
    async stop() {
      child.stdin.end();
      await ended;
    },
  };
}
