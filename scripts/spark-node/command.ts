/** How a master or a worker of Spark's own cluster manager is started from the installed runtime, as Spark's scripts would. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

export const sparkRoles = ['master', 'worker'] as const;
export type SparkRole = (typeof sparkRoles)[number];

/** Executors insist on it; the small Java runtime that set-up brings comes without. */
const vectorModule = 'jdk.incubator.vector';
const mainClasses = {
  master: 'org.apache.spark.deploy.master.Master',
  worker: 'org.apache.spark.deploy.worker.Worker',
} as const satisfies Record<SparkRole, string>;

export interface SparkNodeOptions {
  readonly role: SparkRole;
  /** As Spark's own `Master` and `Worker` take them. */
  readonly args: readonly string[];
  readonly java: string;
  readonly javaOptions: readonly string[];
  readonly sparkHome: string;
  /** For what may have to be made. */
  readonly folder: string;
}

export interface SparkNodeCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

export function toSparkNodeCommand(options: SparkNodeOptions): SparkNodeCommand {
  const { role, args, java, javaOptions, sparkHome, folder } = options;
  return {
    command: java,
    args: [...javaOptions, '-cp', `${sparkHome}/jars/*`, mainClasses[role], ...args],
    environment: {
      SPARK_HOME: sparkHome,
      // What Spark's scripts find out by looking around.
      SPARK_SCALA_VERSION: '2.13',
      // Of the executors.
      JAVA_HOME: javaHomeOf(java, folder),
    },
  };
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
