// Reads a bundle folder: databricks.yml, what it includes, variable overrides, and the list of files beside them.
// The only place besides deploy/ that touches the file system.

import { readFile, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import {
  emptyMapping,
  entriesAt,
  isEmpty,
  listAt,
  type MappingNode,
  type Node,
  at as nodeAt,
  textAt,
  withoutKeys,
} from '../nodes.ts';
import { errorAt, type Position, type Problem, sortProblems, warningAt } from '../problem.ts';
import { combineNodes } from './combine-nodes.ts';
import { isMissing, type LocalFile } from './describe-file.ts';
import { CONFIG_FILES_MAX, expandInclude, matchFiles } from './expand-includes.ts';
import { findGitRoot } from './ignore-rules.ts';
import { listFiles } from './list-files.ts';
import { parseYaml } from './parse-yaml.ts';
import { findSyncRoots, type SyncRoots } from './sync-roots.ts';

/** A configuration larger than this is data in the wrong place. */
const CONFIG_BYTES_MAX = 10 * 1024 * 1024;
/** Enough to hide a slow disk; of the largest files allowed, not too much to hold. */
const READS_AT_ONCE = 16;
const MAIN_FILES = ['databricks.yml', 'databricks.yaml'];

export interface LoadedBundle {
  /** Absolute. */
  readonly folder: string;
  readonly mainFile: string;
  readonly configFiles: readonly string[];
  /** All files as one mapping, without `include`. */
  readonly root: MappingNode;
  /** By target; '' is the file that holds for every target. */
  readonly overrides: ReadonlyMap<string, MappingNode>;
  /** What is wrong with those files, which matters to their target only. */
  readonly overrideProblems: ReadonlyMap<string, readonly Problem[]>;
  /** What sync.paths of the bundle and of each target lead to. */
  readonly syncRoots: SyncRoots;
  readonly files: readonly LocalFile[];
  /** false: a file could not be read as YAML, and what it would have said is missing from `root`. */
  readonly isReadable: boolean;
  readonly problems: readonly Problem[];
}

export async function loadBundle(folder: string): Promise<LoadedBundle> {
  const absolute = await realpath(path.resolve(folder)).catch(() => path.resolve(folder));
  const reader = new ConfigReader(absolute);
  const [mainFile = null, other] = await findMainFiles(absolute);
  const start: Position = { file: mainFile ?? 'databricks.yml', line: 1, column: 1 };
  const empty = {
    folder: absolute,
    mainFile: start.file,
    overrides: new Map(),
    overrideProblems: new Map(),
    syncRoots: new Map(),
    files: [],
    isReadable: false,
  };
  if (mainFile === null) {
    const problem = errorAt(
      start,
      `there is no databricks.yml in ${absolute}; run the command in the bundle's folder`,
    );
    return { ...empty, configFiles: [], root: emptyMapping(start), problems: [problem] };
  }
  if (other !== undefined) {
    reader.problems.push(errorAt({ ...start, file: other }, `${mainFile} is there too`, 'keep one of them'));
  }
  const main = await reader.readAll([mainFile]);
  const included = await expandIncludes(absolute, main, mainFile, reader.problems);
  const documents = [...main, ...withoutIncludes(await reader.readAll(included), reader.problems)];
  const root = documents.reduce<MappingNode>(
    (all, document) => combineNodes(all, withoutKeys(document, ['include']), reader.problems),
    emptyMapping(start),
  );
  const gitRoot = await findGitRoot(absolute);
  const syncRoots = await findSyncRoots(absolute, root, gitRoot);
  const listing = await listFiles(absolute, {
    folders: [absolute, ...outerFolders(absolute, syncRoots)],
    gitRoot,
    includes: readSyncIncludes(root),
  });
  return {
    folder: absolute,
    mainFile,
    configFiles: [mainFile, ...included],
    root,
    ...(await readOverrides(absolute)),
    syncRoots,
    files: listing.files,
    isReadable: reader.isReadable,
    problems: sortProblems([...reader.problems, ...listing.problems]),
  };
}

/** Only the main file's own includes are followed. */
function withoutIncludes(documents: readonly MappingNode[], problems: Problem[]): readonly MappingNode[] {
  for (const document of documents) {
    const include = document.entries.get('include');
    if (include === undefined) continue;
    const message = 'an included file cannot include others; this is not followed';
    problems.push(warningAt(include.keyAt, message, 'name them under include in databricks.yml'));
  }
  return documents;
}

function outerFolders(folder: string, roots: SyncRoots): string[] {
  return [...roots.values()].flatMap((root) =>
    root.kind === 'folder' && root.path.startsWith('..') ? [path.join(folder, root.path)] : [],
  );
}

function readSyncIncludes(root: MappingNode): string[] {
  const targets = entriesAt(root, 'targets').map(([, entry]) => entry.value);
  return [root, ...targets].flatMap((owner) =>
    listAt(owner, 'sync', 'include').flatMap((node) => textAt(node) ?? []),
  );
}

class ConfigReader {
  readonly problems: Problem[] = [];
  private readonly folder: string;
  isReadable = true;
  private isFull = false;
  private sizeBytes = 0;
  private count = 0;

  constructor(folder: string) {
    this.folder = folder;
  }

  /** Reads some files at once, and takes them in order: the findings do not depend on which was faster. */
  async readAll(files: readonly string[]): Promise<readonly MappingNode[]> {
    const documents: MappingNode[] = [];
    for (let index = 0; index < files.length; index += READS_AT_ONCE) {
      const batch = files.slice(index, index + READS_AT_ONCE);
      const contents = await Promise.all(batch.map((file) => this.fetch(file)));
      for (const [place, file] of batch.entries())
        documents.push(...this.take(file, contents[place] ?? null));
    }
    return documents;
  }

  private async fetch(file: string): Promise<Fetched> {
    const absolute = path.join(this.folder, file);
    try {
      const { size } = await stat(absolute);
      return { size, bytes: size > CONFIG_BYTES_MAX ? null : await readFile(absolute) };
    } catch (error) {
      return { reason: error instanceof Error && 'code' in error ? ` (${String(error.code)})` : '' };
    }
  }

  private take(file: string, fetched: Fetched | null): readonly MappingNode[] {
    const start = { file, line: 1, column: 1 };
    this.count += 1;
    if (fetched === null || 'reason' in fetched) {
      const message = `cannot be read${fetched?.reason ?? ''}`;
      this.problems.push(errorAt(start, message, 'give yourself the right to read it'));
      this.isReadable = false;
      return [];
    }
    this.sizeBytes += fetched.size;
    if (fetched.bytes === null || this.sizeBytes > CONFIG_BYTES_MAX || this.count > CONFIG_FILES_MAX) {
      this.refuseMore(start);
      return [];
    }
    const parsed = parseYaml(file, fetched.bytes);
    this.problems.push(...parsed.problems);
    if (parsed.problems.some(({ severity }) => severity === 'error')) this.isReadable = false;
    return parsed.documents;
  }

  private refuseMore(start: Position): void {
    const megabytes = CONFIG_BYTES_MAX / 1024 / 1024;
    const message =
      this.count > CONFIG_FILES_MAX
        ? `more than ${CONFIG_FILES_MAX} configuration files are included`
        : `the configuration files are larger than ${megabytes} MB together; move data out of them`;
    // The first file that is too much is enough.
    if (!this.isFull) this.problems.push(errorAt(start, message));
    this.isFull = true;
    this.isReadable = false;
  }
}

type Fetched =
  /** null: too large on its own. */
  { readonly size: number; readonly bytes: Uint8Array | null } | { readonly reason: string };

/** Both spellings are read; two of them in one folder are a mistake that nobody should have to guess about. */
async function findMainFiles(folder: string): Promise<string[]> {
  const found: string[] = [];
  for (const name of MAIN_FILES) {
    try {
      if ((await stat(path.join(folder, name))).isFile()) found.push(name);
    } catch (error) {
      if (!isMissing(error)) throw new Error(`cannot read ${path.join(folder, name)}`, { cause: error });
    }
  }
  return found;
}

async function expandIncludes(
  folder: string,
  main: readonly MappingNode[],
  mainFile: string,
  problems: Problem[],
): Promise<string[]> {
  const found = new Set<string>();
  for (const node of main.flatMap((document) => readIncludes(document, problems))) {
    for (const file of await expandInclude(folder, node, problems)) if (file !== mainFile) found.add(file);
  }
  return [...found];
}

function readIncludes(document: MappingNode, problems: Problem[]): readonly Node[] {
  const include = nodeAt(document, 'include');
  if (include === undefined || isEmpty(include) || include.kind === 'list') return listAt(include);
  problems.push(errorAt(include.at, 'include: expected a list', 'write a line `- pattern` for each pattern'));
  return [];
}

async function readOverrides(folder: string): Promise<Pick<LoadedBundle, 'overrides' | 'overrideProblems'>> {
  const overrides = new Map<string, MappingNode>();
  const overrideProblems = new Map<string, readonly Problem[]>();
  const files = [
    ...(await matchFiles(folder, 'variable-overrides.json')).files,
    ...(await matchFiles(folder, '.databricks/bundle/*/variable-overrides.json')).files,
  ];
  for (const file of files) {
    const target = file.includes('/') ? (file.split('/').at(-2) ?? '') : '';
    const reader = new ConfigReader(folder);
    // JSON is YAML: one parser gives both their positions.
    const [mapping] = await reader.readAll([file]);
    if (mapping !== undefined) overrides.set(target, mapping);
    overrideProblems.set(target, reader.problems);
  }
  return { overrides, overrideProblems };
}
