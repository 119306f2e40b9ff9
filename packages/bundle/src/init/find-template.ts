// From what a person names, a built-in template, a folder or a Git address, to a folder with a template.

import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { BundleError } from '../deploy/bundle-error.ts';
import { errorAt } from '../problem.ts';

const builtIn = fileURLToPath(new URL('../../templates/', import.meta.url));
/** A name of the hosted product's → ours of the same purpose. */
const otherNames: Readonly<Record<string, string>> = { 'default-minimal': 'minimal', 'dbt-sql': 'dbt' };
const gitUrl = /^(?:https?:\/\/|ssh:\/\/|file:\/\/|git@[\w.-]+:)/;
const cloneMsMax = 120_000;

export interface FoundTemplate {
  readonly folder: string;
  /** Around it: nothing outside of this belongs to the template. */
  readonly root: string;
  /** Removes what was fetched. */
  readonly release: () => Promise<void>;
}

export interface TemplateSource {
  /** A branch or tag of a Git address. */
  readonly ref?: string | undefined;
  /** Of the repository, where the template is not at its top. */
  readonly subfolder?: string | undefined;
  /** What relative paths start from. */
  readonly from: string;
  /** For Git. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

export async function listTemplates(): Promise<string[]> {
  return (await readdir(builtIn)).sort();
}

export async function findTemplate(name: string, source: TemplateSource): Promise<FoundTemplate> {
  if (gitUrl.test(name)) return cloneTemplate(name, source);
  if (source.ref !== undefined) throw refuse('a branch or tag needs the address of a Git repository');
  const known = await listTemplates();
  const plain = otherNames[name] ?? name;
  const release = async () => undefined;
  if (known.includes(plain)) return { folder: path.join(builtIn, plain), root: builtIn, release };
  const root = path.resolve(source.from, name);
  const folder = path.join(root, checkSubfolder(source.subfolder));
  const found = await stat(folder).catch(() => null);
  if (found?.isDirectory()) return { folder, root, release };
  throw refuse(
    `there is no template '${name}'; built in are ${known.join(', ')}; a folder or the address of a Git repository is possible too`,
  );
}

async function cloneTemplate(url: string, source: TemplateSource): Promise<FoundTemplate> {
  const subfolder = checkSubfolder(source.subfolder);
  const folder = await mkdtemp(path.join(os.tmpdir(), 'headrace-template-'));
  const release = () => rm(folder, { recursive: true, force: true });
  const ref = source.ref === undefined ? [] : ['--branch', source.ref];
  try {
    // No hooks, no other protocols, no questions: a template is data.
    const guards = ['-c', 'core.hooksPath=/dev/null', '-c', 'protocol.ext.allow=never'];
    await promisify(execFile)(
      'git',
      [...guards, 'clone', '--quiet', '--depth', '1', ...ref, '--', url, folder],
      {
        env: { ...source.environment, GIT_TERMINAL_PROMPT: '0' },
        timeout: cloneMsMax,
      },
    );
  } catch (error) {
    await release();
    throw refuse(`cannot clone ${withoutPassword(url)}: ${withoutPassword(lastLine(error))}`);
  }
  return { folder: path.join(folder, subfolder), root: folder, release };
}

function lastLine(error: unknown): string {
  const stderr = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : '';
  return stderr.split('\n').at(-1) || (error instanceof Error ? error.message : String(error));
}

function withoutPassword(text: string): string {
  return text.replaceAll(/\/\/[^/@\s]+@/g, '//');
}

function checkSubfolder(subfolder = '.'): string {
  const normal = path.posix.normalize(subfolder);
  if (normal.startsWith('..') || path.posix.isAbsolute(normal))
    throw refuse(`--template-dir ${subfolder} leads out of the repository`);
  return normal;
}

function refuse(message: string): BundleError {
  return new BundleError([errorAt({ file: 'template', line: 1, column: 1 }, message)]);
}
