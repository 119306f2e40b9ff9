// A bundle folder on disk for one test, and the steps up to what it says.

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { loadBundle } from '../load/load-bundle.ts';
import { formatProblem } from '../problem.ts';
import { type ResolvedBundle, type ResolveInputs, resolveBundle } from '../resolve/resolve-bundle.ts';
import { validateBundle } from '../validate/validate-bundle.ts';

export const FACTS = { host: 'http://127.0.0.1:8080', userName: 'jane.doe@example.com' };
export const NOTEBOOK = '# Databricks notebook source\nprint(1)\n';

type Files = Readonly<Record<string, string | Uint8Array>>;

export interface BundleFolder extends AsyncDisposable {
  readonly folder: string;
  write(files: Files): Promise<void>;
  remove(file: string): Promise<void>;
}

export async function aBundleFolder(files: Files): Promise<BundleFolder> {
  const folder = await mkdtemp(path.join(tmpdir(), 'headrace-bundle-'));
  const write = async (changed: Files) => {
    for (const [name, text] of Object.entries(changed)) {
      await mkdir(path.dirname(path.join(folder, name)), { recursive: true });
      await writeFile(path.join(folder, name), text);
    }
  };
  await write(files);
  return {
    folder,
    write,
    remove: (file) => rm(path.join(folder, file), { recursive: true }),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

/** The resolved bundle and every finding, as people read them. */
export async function resolve(
  { folder }: Pick<BundleFolder, 'folder'>,
  inputs: Partial<ResolveInputs> = {},
): Promise<{ bundle: ResolvedBundle; findings: string[] }> {
  const loaded = await loadBundle(folder);
  const resolved = resolveBundle(loaded, { facts: FACTS, ...inputs });
  if (!('root' in resolved)) throw new Error(resolved.problems.map(formatProblem).join('\n'));
  return { bundle: resolved, findings: validateBundle(resolved, loaded).map(formatProblem) };
}

/** What a broken bundle is told. */
export async function findingsOf(files: Files, inputs: Partial<ResolveInputs> = {}): Promise<string[]> {
  await using folder = await aBundleFolder(files);
  const loaded = await loadBundle(folder.folder);
  const resolved = resolveBundle(loaded, { facts: FACTS, ...inputs });
  const problems = 'root' in resolved ? validateBundle(resolved, loaded) : resolved.problems;
  return problems.map(formatProblem);
}

/** One job of one notebook task; `extra` goes into the job. */
export function jobYaml(extra = ''): string {
  const indented = extra
    .split('\n')
    .map((line) => (line === '' ? line : `      ${line}`))
    .join('\n');
  return `bundle:
  name: shop
resources:
  jobs:
    daily:
      name: daily
      tasks:
        - task_key: load
          notebook_task: {notebook_path: ./load.py}
${indented}
`;
}
