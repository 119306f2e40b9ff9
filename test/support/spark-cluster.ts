/** A real Spark master with workers on this machine: JVMs of the test's own, from the jars of the installed runtime. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { readHostRuntime } from '../../packages/worker/src/hosts/local/local-backend.ts';
import { type SparkRole, toSparkNodeCommand } from '../../scripts/spark-node/command.ts';
import { waitUntil } from './census.ts';

const repository = path.resolve(import.meta.dirname, '../..');
const address = '127.0.0.1';
/** A JVM on a machine that does much else. */
const startMs = 240_000;

/** Of the master's page. */
export interface MasterPage {
  readonly aliveworkers: number;
  readonly coresused: number;
  readonly activeapps: readonly { readonly id: string; readonly name: string; readonly cores: number }[];
}

export class SparkCluster {
  readonly #folder: string;
  readonly #children = new Set<ChildProcess>();
  #master: ChildProcess | null = null;
  #port = 0;
  #pagePort = 0;

  constructor(folder: string) {
    this.#folder = folder;
    fs.mkdirSync(folder, { recursive: true });
  }

  get url(): string {
    return `spark://${address}:${this.#port}`;
  }

  /** Again under the same address, once it has been killed. */
  async startMaster(): Promise<void> {
    const log = path.join(this.#folder, `master-${this.#children.size}.log`);
    const asked = ['--host', address, '--port', String(this.#port), '--webui-port', '0'];
    this.#master = this.#spawn('master', asked, log);
    const find = (pattern: RegExp) => Number(pattern.exec(fs.readFileSync(log, 'utf8'))?.[1] ?? 0);
    await waitUntil(
      'the master leads',
      () => fs.readFileSync(log, 'utf8').includes('New state: ALIVE'),
      startMs,
    );
    this.#port = find(/Starting Spark master at spark:\/\/127\.0\.0\.1:(\d+)/);
    this.#pagePort = find(/MasterWebUI.* started at http:\/\/[^:]+:(\d+)/);
  }

  async startWorkers(count: number, { cores, memory }: { cores: number; memory: string }): Promise<void> {
    for (let number = 0; number < count; number += 1) {
      const place = path.join(this.#folder, `worker-${number}`);
      const size = ['--cores', String(cores), '--memory', memory, '--work-dir', place];
      const asked = ['--host', address, '--port', '0', '--webui-port', '0', ...size, this.url];
      this.#spawn('worker', asked, `${place}.log`);
    }
    await waitUntil('the workers are there', async () => (await this.page()).aliveworkers === count, startMs);
  }

  async page(): Promise<MasterPage> {
    const answer = await fetch(`http://${address}:${this.#pagePort}/json/`);
    return (await answer.json()) as MasterPage;
  }

  async killMaster(): Promise<void> {
    const master = this.#master;
    if (master === null) return;
    master.kill('SIGKILL');
    await once(master, 'exit');
    this.#master = null;
  }

  async end(): Promise<void> {
    const running = [...this.#children].filter(
      ({ exitCode, signalCode }) => exitCode === null && signalCode === null,
    );
    await Promise.all(
      running.map((child) => {
        const ended = once(child, 'exit');
        child.kill('SIGTERM');
        return ended;
      }),
    );
  }

  #spawn(role: SparkRole, args: readonly string[], log: string): ChildProcess {
    const { spark } = readHostRuntime(path.join(repository, '.runtime/runtime.json'));
    if (spark === null) throw new Error('the runtime was set up without Spark');
    const small = ['-Xmx128m', '-XX:+UseSerialGC', '-Dspark.master.rest.enabled=false'];
    const made = toSparkNodeCommand({
      ...{ role, args, folder: this.#folder, sparkHome: spark.sparkHome },
      // That of set-up, for instance, on a machine that has a larger one.
      java: process.env.HEADRACE_TEST_JAVA ?? spark.java,
      javaOptions: [...spark.jvmOptions, ...small],
    });
    const output = fs.openSync(log, 'a');
    const child = spawn(made.command, made.args, {
      stdio: ['ignore', output, output],
      env: { PATH: process.env.PATH, SPARK_LOCAL_IP: address, ...made.environment },
    });
    fs.closeSync(output);
    this.#children.add(child);
    return child;
  }
}
