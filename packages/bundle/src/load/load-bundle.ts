// Reads a bundle folder: databricks.yml, what it includes, variable overrides, and the list of files beside them.
// The only place besides deploy/ that touches the file system.

import { glob, readFile, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { emptyMapping, entriesAt, listAt, type MappingNode, withoutKeys } from '../nodes.ts';
import { errorAt, type Position, type Problem, sortProblems, warningAt } from '../problem.ts';
import { combineNodes } from './combine-nodes.ts';
import { describeFile, isMissing, type LocalFile, listFiles } from './list-files.ts';
import { parseYaml } from './parse-yaml.ts';

/** A configuration larger than this is data in the wrong place. */
const CONFIG_BYTES_MAX = 10 * 1024 * 1024;
const CONFIG_FILES_MAX = 5_000;
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
  readonly files: readonly LocalFile[];
  /** false: a file could not be read as YAML, and what it would have said is missing from `root`. */
  readonly isReadable: boolean;
  readonly problems: readonly Problem[];
}

export async function loadBundle(folder: string): Promise<LoadedBundle> {
  const absolute = await realpath(path.resolve(folder)).catch(() => path.resolve(folder));
  const reader = new ConfigReader(absolute);
  const mainFile = await findMainFile(absolute);
  const start: Position = { file: mainFile ?? 'databricks.yml', line: 1, column: 1 };
  const empty = {
    folder: absolute,
    mainFile: start.file,
    overrides: new Map(),
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
  const main = await reader.read(mainFile);
  const included = await expandIncludes(absolute, main, mainFile, reader);
  const documents = [...main];
  for (const file of included) documents.push(...(await reader.read(file)));
  const root = documents.reduce<MappingNode>(
    (all, document) => combineNodes(all, withoutKeys(document, ['include']), reader.problems),
    emptyMapping(start),
  );
  const overrides = await readOverrides(absolute, reader);
  const listing = await listFiles(absolute);
  const extra = await expandSyncIncludes(absolute, root, listing.files);
  return {
    folder: absolute,
    mainFile,
    configFiles: [mainFile, ...included],
    root,
    overrides,
    files: [...listing.files, ...extra].sort((a, b) => (a.path < b.path ? -1 : 1)),
    isReadable: reader.isReadable,
    problems: sortProblems([...reader.problems, ...listing.problems]),
  };
}

class ConfigReader {
  readonly problems: Problem[] = [];
  private readonly folder: string;
  isReadable = true;
  private sizeBytes = 0;
  private count = 0;

  constructor(folder: string) {
    this.folder = folder;
  }

  async read(file: string): Promise<readonly MappingNode[]> {
    const start = { file, line: 1, column: 1 };
    const { size } = await stat(path.join(this.folder, file));
    this.sizeBytes += size;
    this.count += 1;
    if (this.sizeBytes > CONFIG_BYTES_MAX) {
      this.problems.push(
        errorAt(
          start,
          `the configuration files are larger than ${CONFIG_BYTES_MAX / 1024 / 1024} MB together; move data out of them`,
        ),
      );
      this.isReadable = false;
      return [];
    }
    if (this.count > CONFIG_FILES_MAX) {
      if (this.count === CONFIG_FILES_MAX + 1)
        this.problems.push(errorAt(start, `more than ${CONFIG_FILES_MAX} configuration files are included`));
      return [];
    }
    const parsed = parseYaml(file, await readFile(path.join(this.folder, file)));
    this.problems.push(...parsed.problems);
    if (parsed.problems.length > 0) this.isReadable = false;
    return parsed.documents;
  }
}

async function findMainFile(folder: string): Promise<string | null> {
  for (const name of MAIN_FILES) {
    try {
      if ((await stat(path.join(folder, name))).isFile()) return name;
    } catch (error) {
      if (!isMissing(error)) throw new Error(`cannot read ${path.join(folder, name)}`, { cause: error });
    }
  }
  return null;
}

async function expandIncludes(
  folder: string,
  main: readonly MappingNode[],
  mainFile: string,
  reader: ConfigReader,
): Promise<string[]> {
  const found = new Set<string>();
  for (const node of main.flatMap((document) => listAt(document, 'include'))) {
    if (node.kind !== 'scalar' || typeof node.value !== 'string') {
      reader.problems.push(errorAt(node.at, 'include: expected a file name or a pattern'));
      continue;
    }
    const pattern = path.posix.normalize(node.value);
    if (path.posix.isAbsolute(pattern) || pattern.startsWith('..')) {
      reader.problems.push(errorAt(node.at, `include '${node.value}' leaves the bundle folder`));
      continue;
    }
    const matches = await matchFiles(folder, pattern);
    for (const match of matches) if (match !== mainFile) found.add(match);
    if (matches.length > 0) continue;
    const isPattern = /[*?[{]/.test(pattern);
    reader.problems.push(
      isPattern
        ? warningAt(node.at, `include '${node.value}' matches no file`)
        : errorAt(node.at, `included file '${node.value}' does not exist`),
    );
  }
  return [...found];
}

async function matchFiles(folder: string, pattern: string): Promise<string[]> {
  const matches: string[] = [];
  for await (const entry of glob(pattern, { cwd: folder, withFileTypes: true })) {
    if (entry.isFile())
      matches.push(path.relative(folder, path.join(entry.parentPath, entry.name)).split(path.sep).join('/'));
    if (matches.length > CONFIG_FILES_MAX) break;
  }
  return matches.sort();
}

/** `sync.include` brings back files that .gitignore names, such as a generated folder. */
async function expandSyncIncludes(
  folder: string,
  root: MappingNode,
  listed: readonly LocalFile[],
): Promise<LocalFile[]> {
  const known = new Set(listed.map((file) => file.path));
  const targets = entriesAt(root, 'targets').map(([, entry]) => entry.value);
  const found: LocalFile[] = [];
  for (const node of [root, ...targets].flatMap((owner) => listAt(owner, 'sync', 'include'))) {
    if (node.kind !== 'scalar' || typeof node.value !== 'string' || node.value.startsWith('..')) continue;
    for (const match of await matchFiles(folder, path.posix.normalize(node.value))) {
      if (!known.has(match)) found.push(await describeFile(folder, match));
      known.add(match);
    }
  }
  return found;
}

async function readOverrides(folder: string, reader: ConfigReader): Promise<Map<string, MappingNode>> {
  const overrides = new Map<string, MappingNode>();
  const files = [
    ...(await matchFiles(folder, 'variable-overrides.json')),
    ...(await matchFiles(folder, '.databricks/bundle/*/variable-overrides.json')),
  ];
  for (const file of files) {
    const target = file.includes('/') ? (file.split('/').at(-2) ?? '') : '';
    // JSON is YAML: one parser gives both their positions.
    const [mapping] = await reader.read(file);
    if (mapping !== undefined) overrides.set(target, mapping);
  }
  return overrides;
}
