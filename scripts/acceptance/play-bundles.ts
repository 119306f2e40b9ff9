/** Types the commands of the examples' README, each a process of its own, on a copy of the bundle. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Client } from '@headrace/api';
import { repository } from '../bench/baselines.ts';
import type { BundleStep } from './bundle-expectations.ts';
import { judgeRun } from './judge-run.ts';

export interface Target {
  readonly client: Client;
  readonly url: string;
  readonly token: string;
}

const catalogs = ['dev', 'main', 'dev_catalog', 'staging_catalog', 'prod_catalog', 'my_catalog'];

export async function playBundles(
  target: Target,
  examples: string,
  steps: readonly BundleStep[],
  tell: (name: string, problems: readonly string[]) => void,
): Promise<void> {
  await createCatalogs(target.client);
  const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'headrace-acceptance-'));
  try {
    for (const step of steps) {
      const folder = path.join(scratch, step.bundle);
      copyBundle(path.join(examples, step.bundle), folder, { step, url: target.url });
      tell(`${step.bundle}: ${step.command}`, await playStep(target, folder, step));
    }
  } finally {
    fs.rmSync(scratch, { recursive: true, force: true });
  }
}

async function createCatalogs(client: Client): Promise<void> {
  const { catalogs: found } = await client.catalogsList({});
  const known = new Set((found ?? []).map(({ name }) => name));
  for (const name of catalogs) if (!known.has(name)) await client.catalogsCreate({ name });
}

/** The configuration anew for each step, so that a change holds for one step; what builds have left stays. */
function copyBundle(from: string, to: string, { step, url }: { step: BundleStep; url: string }): void {
  fs.cpSync(from, to, { recursive: true });
  const { variant, replace } = step.change ?? {};
  const main = path.join(to, 'databricks.yml');
  const source = variant === undefined ? main : path.join(from, 'variants', variant);
  let text = fs.readFileSync(source, 'utf8').replaceAll(/http:\/\/(localhost|127\.0\.0\.1):8080/g, url);
  for (const [before, after] of replace ?? []) text = text.replace(before, after);
  fs.writeFileSync(main, text);
}

async function playStep(target: Target, folder: string, step: BundleStep): Promise<string[]> {
  const { code, output } = await headrace(target, folder, step.command.split(' '));
  const problems: string[] = [];
  if (code !== (step.exitCode ?? 0)) {
    problems.push(`ended with ${code}, not ${step.exitCode ?? 0}: ${output.slice(-2_000)}`);
  }
  for (const expected of step.prints ?? []) {
    if (!expected.test(output)) problems.push(`prints no ${expected}: ${output.slice(-2_000)}`);
  }
  if (step.run !== undefined) problems.push(...(await judgeLatestRun(target.client, step)));
  for (const [statement, rows] of Object.entries(step.rows ?? {})) {
    const found = await headrace(target, folder, ['sql', statement, '-o', 'csv']);
    const lines = found.output.trim().split(/\r?\n/).slice(1).join('\n');
    if (lines !== rows) problems.push(`${statement} gives ${found.output}, not ${rows}`);
  }
  return problems;
}

async function judgeLatestRun(client: Client, { run, exitCode }: BundleStep): Promise<string[]> {
  const { runs } = await client.runsList({ limit: 1 });
  const [latest] = runs ?? [];
  if (latest === undefined) return ['there is no run'];
  const state = exitCode === 1 ? 'FAILED' : 'SUCCESS';
  return judgeRun(client, latest.run_id, { expected: { state, tasks: run ?? {} } });
}

async function headrace({ url, token }: Target, cwd: string, args: readonly string[]) {
  const main = path.join(repository, 'packages/cli/src/main.ts');
  const child = spawn(process.execPath, ['--conditions=source', main, ...args], {
    cwd,
    env: { ...process.env, DATABRICKS_HOST: url, DATABRICKS_TOKEN: token, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (piece: string) => {
      output += piece;
    });
  }
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, output };
}
