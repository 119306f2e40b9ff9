/** A real Spark master with workers on this machine: JVMs of the test's own, from the jars of the installed runtime. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { readHostRuntime } from '../../packages/worker/src/hosts/local/local-backend.ts';
import { waitUntil } from './census.ts';

const repository = path.resolve(import.meta.dirname, '../..');
const address = '127.0.0.1';
/** A JVM on a machine that does much else. */
const startMs = 240_000;
/** Spark's own executors insist on it; small Java runtimes come without. */
const vectorModule = 'jdk.incubator.vector';

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
    this.#master = this.#spawn('org.apache.spark.deploy.master.Master', asked, log);
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
      this.#spawn('org.apache.spark.deploy.worker.Worker', asked, `${place}.log`);
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

  #spawn(mainClass: string, asked: readonly string[], log: string): ChildProcess {
    const { spark } = readHostRuntime(path.join(repository, '.runtime/runtime.json'));
    if (spark === null) throw new Error('the runtime was set up without Spark');
    const java = process.env.HEADRACE_TEST_JAVA ?? spark.java;
    const options = ['-Xmx128m', '-XX:+UseSerialGC', '-Dspark.master.rest.enabled=false'];
    const output = fs.openSync(log, 'a');
    const classPath = ['-cp', `${spark.sparkHome}/jars/*`];
    const child = spawn(java, [...spark.jvmOptions, ...options, ...classPath, mainClass, ...asked], {
      stdio: ['ignore', output, output],
      env: {
        PATH: process.env.PATH,
        SPARK_HOME: spark.sparkHome,
        // What Spark's scripts find out by looking around.
        SPARK_SCALA_VERSION: '2.13',
        SPARK_LOCAL_IP: address,
        // Of the executors.
        JAVA_HOME: javaHomeOf(java, this.#folder),
      },
    });
    fs.closeSync(output);
    this.#children.add(child);
    return child;
  }
}

/** One whose Java does without the module where it is missing: Spark cannot be told to leave it out. */
function javaHomeOf(java: string, folder: string): string {
  const listed = spawnSync(java, ['--list-modules'], { encoding: 'utf8' });
  if (listed.stdout.includes(vectorModule)) return path.resolve(java, '../..');
  const home = path.join(folder, 'java');
  fs.mkdirSync(path.join(home, 'bin'), { recursive: true });
  const script = [
    '#!/bin/sh',
    'for word do',
    '  shift',
    `  [ "$word" = "--add-modules=${vectorModule}" ] || set -- "$@" "$word"`,
    'done',
    `exec '${java}' "$@"`,
  ];
  fs.writeFileSync(path.join(home, 'bin/java'), `${script.join('\n')}\n`, { mode: 0o755 });
  return home;
}
