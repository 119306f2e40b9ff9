/**
 * Asks Quartz itself for the fire times of the cases and keeps them: needs a JDK, quartz-2.3.2.jar and slf4j-api-1.7.36.jar
 * of Maven Central.
 *
 *   node --conditions=source test/conformance/quartz/record.ts FOLDER-OF-JARS
 */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import zlib from 'node:zlib';
import { answersFile, recordedCases } from './recorded.ts';

const [jars] = process.argv.slice(2);
if (jars === undefined) throw new Error('say which folder holds the JARs');
const classes = fs.mkdtempSync(path.join(os.tmpdir(), 'quartz-'));
const classPath = [...fs.readdirSync(jars).map((name) => path.join(jars, name)), classes].join(
  path.delimiter,
);
const oracle = path.join(import.meta.dirname, 'Oracle.java');
execFileSync('javac', ['-cp', classPath, '-d', classes, oracle]);
const input = recordedCases()
  .map(({ expression, zone, afterMs }) => `${expression}|${zone}|${afterMs}\n`)
  .join('');
const answers = execFileSync('java', ['-cp', classPath, 'Oracle'], { input, maxBuffer: 2 ** 28 });
fs.writeFileSync(answersFile, zlib.gzipSync(answers, { level: 9 }));
fs.rmSync(classes, { recursive: true });
