/** TPC-H's tables as Parquet files, from a generator that is installed for this benchmark alone (tpchgen-cli, Apache-2.0). */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { readRuntime } from './baselines.ts';

const generator = 'tpchgen-cli==4.0.0';
const command = 'tpchgen-cli';

export const tpchTables = [
  'customer',
  'lineitem',
  'nation',
  'orders',
  'part',
  'partsupp',
  'region',
  'supplier',
] as const;
const queryCount = 22;

/** Into `folder`, one file for each table; the same bytes each time. */
export function makeTpchFiles(folder: string, scale: number): void {
  const venv = path.join(folder, 'venv');
  run(readRuntime().python, ['-m', 'venv', venv]);
  const pip = ['-m', 'pip', 'install', '--quiet', '--no-deps', '--disable-pip-version-check', '--no-input'];
  run(path.join(venv, 'bin/python'), [...pip, generator]);
  run(path.join(venv, 'bin', command), ['parquet', '-s', String(scale), '--output-dir', folder]);
}

function run(program: string, args: readonly string[]): void {
  const { status, stderr, error } = spawnSync(program, args, { encoding: 'utf8' });
  if (status !== 0)
    throw new Error(`${path.basename(program)} ${args.join(' ')}: ${error?.message ?? stderr}`);
}

/** By name: q1 to q22. */
export function readTpchQueries(): ReadonlyMap<string, string> {
  const text = fs.readFileSync(new URL('tpch.sql', import.meta.url), 'utf8');
  const queries = new Map<string, string>();
  for (const part of text.split(/^-- (?=q\d+$)/m).slice(1)) {
    const [name = '', ...lines] = part.split('\n');
    queries.set(name, lines.join('\n').trim().replace(/;$/, ''));
  }
  if (queries.size !== queryCount) throw new Error(`tpch.sql has ${queries.size} queries`);
  return queries;
}
