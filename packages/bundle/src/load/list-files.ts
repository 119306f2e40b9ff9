// The files below a bundle folder, and below what sync.paths adds, that may be sent: not the ones .gitignore names,
// within limits. Symbolic links are never followed, so loops of them end nothing.

import type { Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import ignore, { type Ignore } from 'ignore';
import { errorAt, type Problem, warningAt } from '../problem.ts';
import { describeFile, type LocalFile } from './describe-file.ts';
import { type IgnoreRules, isIgnored, readRulesAbove, withRulesOf } from './ignore-rules.ts';

export { FILE_BYTES_MAX, isMissing, type LocalFile, sha256 } from './describe-file.ts';

/** More is nearly always a virtual environment or data that .gitignore should name. */
export const FILES_MAX = 5_000;
/** Of ignored folders that are searched because sync.include may name something in them. */
const SEARCHED_MAX = 100_000;
const FOLDERS_NEVER_SENT = ['.git', '.headrace', '.databricks', 'node_modules', '.venv', '__pycache__'];
/** Files that are read at once for their first bytes. */
const READS_AT_ONCE = 32;

export interface FileListing {
  readonly files: readonly LocalFile[];
  readonly problems: readonly Problem[];
}

export interface ListOptions {
  /** Absolute folders: the bundle's, then those of sync.paths outside of it. */
  readonly folders: readonly string[];
  readonly gitRoot: string | null;
  /** Patterns of sync.include of any target, relative to the bundle folder. */
  readonly includes: readonly string[];
  readonly filesMax?: number;
}

export async function listFiles(root: string, options: ListOptions): Promise<FileListing> {
  const walk = new Walk(root, options.includes, options.filesMax ?? FILES_MAX);
  for (const folder of options.folders) {
    await walk.run(folder, options.gitRoot);
  }
  if (walk.refusal !== null) return { files: [], problems: [walk.refusal] };
  const files: LocalFile[] = [];
  const found = [...walk.found];
  for (let index = 0; index < found.length; index += READS_AT_ONCE) {
    const batch = found.slice(index, index + READS_AT_ONCE);
    const described = await Promise.all(
      batch.map(([relative, mark]) => describe(root, relative, mark, walk.problems)),
    );
    files.push(...described.flat());
  }
  return { files: files.sort((a, b) => (a.path < b.path ? -1 : 1)), problems: walk.problems };
}

interface Mark {
  readonly isIgnored: boolean;
}

async function describe(
  root: string,
  relative: string,
  { isIgnored: ignored }: Mark,
  problems: Problem[],
): Promise<LocalFile[]> {
  try {
    const file = await describeFile(root, relative);
    return [ignored ? { ...file, isIgnored: true } : file];
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : '';
    problems.push(
      errorAt(
        { file: relative, line: 1, column: 1 },
        `cannot be read${reason}`,
        'give yourself the right to read it, or name it in .gitignore',
      ),
    );
    return [];
  }
}

interface Pending extends Mark {
  readonly folder: string;
  readonly rules: readonly IgnoreRules[];
}

class Walk {
  readonly found = new Map<string, Mark>();
  readonly problems: Problem[] = [];
  refusal: Problem | null = null;
  private readonly root: string;
  private readonly includes: IncludePatterns;
  private readonly filesMax: number;
  private readonly seen = new Set<string>();
  private searched = 0;

  constructor(root: string, includes: readonly string[], filesMax: number) {
    this.root = root;
    this.includes = new IncludePatterns(includes);
    this.filesMax = filesMax;
  }

  async run(start: string, gitRoot: string | null): Promise<void> {
    const rules = await this.tryRules(start, () => readRulesAbove(start, gitRoot));
    const pending: Pending[] = rules === null ? [] : [{ folder: start, rules, isIgnored: false }];
    for (let next = pending.shift(); next !== undefined; next = pending.shift()) {
      if (this.seen.has(next.folder)) continue;
      this.seen.add(next.folder);
      const { folder, rules: outer } = next;
      const inner = await this.tryRules(folder, () => withRulesOf(folder, outer));
      if (inner === null) continue;
      for (const entry of await this.read(next.folder)) {
        const below = this.visit(entry, { ...next, rules: inner });
        if (below !== null) pending.push(below);
        if (this.refusal !== null) return;
      }
    }
  }

  /** null: nobody can tell what of the folder is not to be sent, so none of it is. */
  private async tryRules(
    folder: string,
    read: () => Promise<readonly IgnoreRules[]>,
  ): Promise<readonly IgnoreRules[] | null> {
    try {
      return await read();
    } catch {
      const file = path.relative(this.root, path.join(folder, '.gitignore')).split(path.sep).join('/');
      const message = 'cannot be read, so nobody can tell what is not to be sent';
      this.problems.push(
        errorAt({ file, line: 1, column: 1 }, message, 'give yourself the right to read it'),
      );
      return null;
    }
  }

  /** The folder to go on with, or null. */
  private visit(entry: Dirent, { folder, rules, isIgnored: inIgnored }: Pending): Pending | null {
    const absolute = path.join(folder, entry.name);
    const relative = path.relative(this.root, absolute).split(path.sep).join('/');
    const isFolder = entry.isDirectory();
    if (isFolder && FOLDERS_NEVER_SENT.includes(entry.name)) return null;
    const ignored = inIgnored || isIgnored(rules, absolute, { isFolder });
    if (ignored) this.searched += 1;
    if (entry.isSymbolicLink()) {
      const at = { file: relative, line: 1, column: 1 };
      if (!ignored)
        this.problems.push(
          warningAt(
            at,
            'is a symbolic link, which is not sent',
            'put the file itself there, or name the link in .gitignore',
          ),
        );
    } else if (isFolder) {
      if (!ignored || this.includes.mayHold(relative)) return { folder: absolute, rules, isIgnored: ignored };
    } else if (entry.isFile() && (!ignored || this.includes.holds(relative))) {
      this.found.set(relative, { isIgnored: ignored });
      this.checkLimits(relative);
    }
    return null;
  }

  private checkLimits(relative: string): void {
    const at = { file: 'databricks.yml', line: 1, column: 1 };
    if (this.found.size > this.filesMax) {
      const message = `more than ${this.filesMax} files below the bundle folder (the last one seen: ${relative})`;
      this.refusal = errorAt(at, message, 'name what is not to be sent in .gitignore');
    } else if (this.searched > SEARCHED_MAX) {
      const message = `sync.include makes a search of more than ${SEARCHED_MAX} ignored files (the last one seen: ${relative})`;
      this.refusal = errorAt(at, message, 'write its patterns with their folders');
    }
  }

  private async read(folder: string): Promise<Dirent[]> {
    try {
      const entries = await readdir(folder, { withFileTypes: true });
      return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
    } catch (error) {
      const file = path.relative(this.root, folder).split(path.sep).join('/') || '.';
      const reason = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : '';
      this.problems.push(
        errorAt(
          { file, line: 1, column: 1 },
          `cannot be read${reason}`,
          'give yourself the right to read it, or name it in .gitignore',
        ),
      );
      return [];
    }
  }
}

/** Before a target is chosen: references may stand for anything. */
class IncludePatterns {
  private readonly patterns: readonly string[];
  private readonly matcher: Ignore;

  constructor(written: readonly string[]) {
    this.patterns = written.map((pattern) => toSyncPattern(pattern.replaceAll(/\$\{[^}]*\}/g, '*')));
    this.matcher = ignore({ allowRelativePaths: true }).add(this.patterns);
  }

  holds(relative: string): boolean {
    return this.patterns.length > 0 && this.matcher.ignores(relative);
  }

  /** Whether something below a folder can match: nothing does where a pattern begins with other folders. */
  mayHold(folder: string): boolean {
    return this.patterns.some((pattern) => {
      const parts = pattern.replace(/\/$/, '').split('/');
      if (parts.length === 1) return true;
      const fixed = parts.slice(parts[0] === '' ? 1 : 0);
      const wild = fixed.findIndex((part) => /[*?[\\!]/.test(part));
      const prefix = `${fixed.slice(0, wild === -1 ? undefined : wild).join('/')}/`;
      return prefix === '/' || prefix.startsWith(`${folder}/`) || `${folder}/`.startsWith(prefix);
    });
  }
}

/** `./dist` means the one beside databricks.yml, as `/dist` does in a .gitignore. */
export function toSyncPattern(written: string): string {
  return written.replace(/^\.\//, '/').replaceAll('\\', '/');
}
