/**
 * A master or a worker of Spark's own cluster manager, from the runtime that set-up made, in the foreground:
 *   npm run spark-node -- master --host 10.0.0.7 --port 7077
 *   npm run spark-node -- worker --host 10.0.0.8 --cores 8 --memory 24g spark://10.0.0.7:7077
 * Everything behind the role is Spark's own.
 */
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { sparkRoles, toSparkNodeCommand } from './spark-node/command.ts';

const runtimeDir = process.env.HEADRACE_RUNTIME_DIR ?? path.resolve(import.meta.dirname, '../.runtime');

function main(): void {
  const [asked, ...args] = process.argv.slice(2);
  const role = sparkRoles.find((known) => known === asked);
  if (role === undefined) {
    console.error(`spark-node: say ${sparkRoles.join(' or ')}, and then what Spark's own takes`);
    process.exitCode = 2;
    return;
  }
  // Our own set-up wrote it.
  const runtime = JSON.parse(fs.readFileSync(path.join(runtimeDir, 'runtime.json'), 'utf8')) as {
    readonly java: string;
    readonly jvmOptions: readonly string[];
    readonly sparkHome: string;
  };
  const { java, jvmOptions: javaOptions, sparkHome } = runtime;
  const folder = path.join(runtimeDir, 'spark-node');
  const made = toSparkNodeCommand({ role, args, java, javaOptions, sparkHome, folder });
  const environment = { ...process.env, ...made.environment };
  const child = spawn(made.command, made.args, { stdio: 'inherit', env: environment });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => child.kill(signal));
  child.on('exit', (code) => {
    process.exitCode = code ?? 1;
  });
}

main();
