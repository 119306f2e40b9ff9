// A job that exists in the workspace → the file of a bundle that describes it, and the files that its tasks run.

import path from 'node:path';
import type { Client } from '@headrace/api';
import { stringify } from 'yaml';
import { BundleError } from '../deploy/bundle-error.ts';
import { fromPlain, type MappingNode, mapScalars, type Node, textAt, toPlain } from '../nodes.ts';
import { pruneDefaults } from '../plan/find-differences.ts';
import { nullIfAbsent } from '../plan/kinds/is-absent.ts';
import { JOB_RULES, readJob } from '../plan/kinds/jobs.ts';
import { errorAt } from '../problem.ts';
import { type PathPlace, placesInJob } from '../resolve/path-places.ts';

export type GenerateClient = Pick<
  Client,
  'jobsGet' | 'workspaceGetStatus' | 'workspaceList' | 'workspaceExport'
>;

export interface GenerateOptions {
  readonly jobId: number;
  /** Of the job in the bundle; without one it is made from its name. */
  readonly key?: string | undefined;
  /** Relative to the bundle folder. */
  readonly configFolder: string;
  readonly sourceFolder: string;
}

export interface GeneratedFile {
  /** Relative to the bundle folder. */
  readonly path: string;
  readonly content: Uint8Array | string;
}

export interface Generated {
  readonly key: string;
  /** The configuration first. */
  readonly files: readonly GeneratedFile[];
}

/** A dbt project of more files is no project. */
const FOLDER_FILES_MAX = 2_000;
/** What the server and deployments write into a job. */
const NOT_WRITTEN_BY_PEOPLE = ['deployment', 'format', 'edit_mode'];
const EXTENSIONS = { PYTHON: '.py', SQL: '.sql', SCALA: '.scala', R: '.r' } as const;

/** Throws BundleError when there is no such job. */
export async function generateJob(client: GenerateClient, options: GenerateOptions): Promise<Generated> {
  const settings = await readJob(options.jobId, client);
  if (settings === null) throw refuse(`there is no job ${options.jobId}`);
  const written = Object.entries(settings).filter(([field]) => !NOT_WRITTEN_BY_PEOPLE.includes(field));
  const plain = pruneDefaults(Object.fromEntries(written), JOB_RULES);
  const node = fromPlain(plain ?? {}, { file: '', line: 1, column: 1 }) as MappingNode; // an object becomes a mapping
  const key = options.key ?? toKey(String(settings.name ?? `job_${options.jobId}`));
  const sources = new Sources(client, options);
  const paths = new Map<Node, string>();
  for (const place of placesInJob(node)) {
    const local = await sources.fetch(place);
    if (local !== null) paths.set(place.node, local);
  }
  const local = mapScalars(node, (scalar) => {
    const found = paths.get(scalar);
    return found === undefined ? scalar : { ...scalar, value: found };
  });
  const configuration = {
    path: path.posix.join(options.configFolder, `${key}.job.yml`),
    content: stringify({ resources: { jobs: { [key]: toPlain(local) } } }, { lineWidth: 0 }),
  };
  return { key, files: [configuration, ...sources.files] };
}

/** `Orders: daily (EU)` → `orders_daily_eu`. */
export function toKey(name: string): string {
  const key = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '_')
    .replaceAll(/^_+|_+$/g, '');
  return key === '' ? 'job' : key;
}

/** Downloads each file once; two of one name from two folders get two names. */
class Sources {
  readonly files: GeneratedFile[] = [];
  private readonly taken = new Map<string, string>();
  private readonly client: GenerateClient;
  private readonly options: GenerateOptions;

  constructor(client: GenerateClient, options: GenerateOptions) {
    this.client = client;
    this.options = options;
  }

  /** The path as the configuration writes it; null: nothing of the workspace, or not there. */
  async fetch({ kind, node }: PathPlace): Promise<string | null> {
    const remote = textAt(node);
    if (remote === null || !isInWorkspace(remote)) return null;
    const before = this.taken.get(remote);
    if (before !== undefined) return this.relative(before);
    if (kind === 'folder') return this.fetchFolder(remote);
    if (kind !== 'notebook' && kind !== 'file') return null;
    const found = await nullIfAbsent(this.client.workspaceGetStatus({ path: remote }));
    if (found === null || found.object_type === 'DIRECTORY') return null;
    const extension = found.language === undefined ? '' : EXTENSIONS[found.language];
    const name = path.posix.basename(remote);
    const local = this.take(remote, name.endsWith(extension) ? name : `${name}${extension}`);
    await this.download(remote, local);
    return this.relative(local);
  }

  private async fetchFolder(remote: string): Promise<string | null> {
    const found = await nullIfAbsent(this.client.workspaceGetStatus({ path: remote }));
    if (found?.object_type !== 'DIRECTORY') return null;
    const local = this.take(remote, path.posix.basename(remote));
    const folders = [remote];
    for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
      const { objects } = await this.client.workspaceList({ path: folder });
      for (const object of objects ?? []) {
        if (object.object_type === 'DIRECTORY') folders.push(object.path);
        else
          await this.download(object.path, path.posix.join(local, path.posix.relative(remote, object.path)));
        if (this.files.length > FOLDER_FILES_MAX)
          throw refuse(`${remote} holds more than ${FOLDER_FILES_MAX} files`);
      }
    }
    return this.relative(local);
  }

  private async download(remote: string, local: string): Promise<void> {
    const { content } = await this.client.workspaceExport({ path: remote, format: 'SOURCE' });
    this.files.push({ path: local, content: Buffer.from(content, 'base64') });
  }

  private take(remote: string, name: string): string {
    const { ext, name: stem } = path.posix.parse(name);
    const taken = new Set(this.taken.values());
    let local = path.posix.join(this.options.sourceFolder, name);
    for (let number = 2; taken.has(local); number += 1)
      local = path.posix.join(this.options.sourceFolder, `${stem}_${number}${ext}`);
    this.taken.set(remote, local);
    return local;
  }

  private relative(local: string): string {
    const found = path.posix.relative(this.options.configFolder, local);
    return found.startsWith('.') ? found : `./${found}`;
  }
}

function isInWorkspace(remote: string): boolean {
  return remote.startsWith('/') && !remote.startsWith('/Volumes/') && !remote.startsWith('/dbfs/');
}

function refuse(message: string): BundleError {
  return new BundleError([errorAt({ file: 'databricks.yml', line: 1, column: 1 }, message)]);
}
