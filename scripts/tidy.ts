/**
 * `npm run tidy`: the rules of STYLE that no bought tool knows: who may import whom, how long a file or a Python
 * function may be, which names say nothing. The length of TypeScript functions is Biome's (noExcessiveLinesPerFunction).
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, extname, join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from './run-command.ts';
import { findForbiddenImports } from './tidy-imports.ts';

export interface Finding {
  readonly path: string;
  readonly line: number;
  readonly message: string;
}

// Each must hold at least one file: a check that reads nothing must not report success.
const FOLDERS = ['packages', 'python', 'scripts', 'test'];
// Fewer than the repository has had since its first week; a broken walk finds none or a few.
const FILES_MIN = 100;
const NOT_OURS = new Set(['node_modules', 'dist', '.runtime', '__pycache__', 'test-results']);
const KINDS = new Set(['.ts', '.tsx', '.mjs', '.py', '.scala', '.java']);
const FILE_LINES_MAX = 400;
const TEST_LINES_MAX = 600;
const PYTHON_FUNCTION_LINES_MAX = 70;
const EMPTY_NAMES = [
  'data',
  'info',
  'item',
  'manager',
  'helper',
  'helpers',
  'utils',
  'util',
  'common',
  'misc',
];

/** Every finding below `home`; throws when it saw too few files to be believed. */
export function tidy(home: string, { filesMin = FILES_MIN, folders = FOLDERS } = {}) {
  const paths = [...folders, 'jvm'].flatMap((folder) => filesBelow(join(home, folder)));
  for (const folder of folders) {
    const isSeen = paths.some((path) => relative(home, path).startsWith(`${folder}/`));
    if (!isSeen) throw new Error(`tidy saw no file below ${folder}: it looked in the wrong place (${home})`);
  }
  if (paths.length < filesMin) {
    throw new Error(`tidy saw ${paths.length} files below ${home}, expected at least ${filesMin}`);
  }
  const findings = paths.flatMap((path) => checkFile(relative(home, path), readFileSync(path, 'utf8')));
  return { files: paths.length, findings };
}

function filesBelow(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (NOT_OURS.has(entry.name)) return [];
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return filesBelow(path);
    const isOurs = KINDS.has(extname(entry.name)) && !/\.gen\.|\.d\.ts$/.test(entry.name);
    return isOurs ? [path] : [];
  });
}

function checkFile(path: string, text: string): Finding[] {
  const lines = text.trimEnd().split('\n');
  return [
    ...checkLength(path, lines),
    ...checkNames(path, lines),
    ...checkLines(path, lines),
    ...(path.endsWith('.py') ? checkPythonFunctions(path, lines) : []),
    ...findForbiddenImports(path, text),
  ];
}

function isTest(path: string) {
  return /\.test\.tsx?$|(^|\/)(test|tests)\//.test(path);
}

function checkLength(path: string, lines: readonly string[]): Finding[] {
  const linesMax = isTest(path) ? TEST_LINES_MAX : FILE_LINES_MAX;
  if (lines.length <= linesMax) return [];
  return [{ path, line: linesMax + 1, message: `${lines.length} lines; at most ${linesMax}` }];
}

function checkNames(path: string, lines: readonly string[]): Finding[] {
  const word = basename(path).replace(/\..*$/, '');
  const findings: Finding[] = [];
  if (EMPTY_NAMES.includes(word)) {
    findings.push({
      path,
      line: 1,
      message: `the name ${word} says nothing: name the file for its main export`,
    });
  }
  const declared = new RegExp(
    `\\b(?:const|let|function|class|interface|type|def|val) (${EMPTY_NAMES.join('|')})(?=\\s*[=:(<{;])`,
    'i',
  );
  // The test of this rule breaks it on purpose.
  if (path === 'scripts/tidy.test.ts') return findings;
  for (const [index, text] of lines.entries()) {
    const name = declared.exec(text)?.[1];
    if (name !== undefined)
      findings.push({ path, line: index + 1, message: `the name ${name} says nothing` });
  }
  return findings;
}

function checkLines(path: string, lines: readonly string[]): Finding[] {
  const isIndex = /^packages\/[^/]+\/src\/index\.ts$/.test(path);
  const findings: Finding[] = [];
  const report = (index: number, message: string) => findings.push({ path, line: index + 1, message });
  if (/\/src\/(?:.*\/)?index\.tsx?$/.test(path) && !isIndex)
    report(0, 'no barrels: only a package has an index.ts');
  for (const [index, text] of lines.entries()) {
    if (/^export \*/.test(text)) report(index, 'name each export');
    if (/(\/\/|#|\*) *TODO\b(?!.*#\d+)/.test(text)) report(index, 'a TODO names its issue: TODO(#7)');
    const isSetting =
      /^packages\/server\/src\//.test(path) && /process\.env/.test(text) && !/^\s*(\*|\/\/)/.test(text);
    if (isSetting && !isTest(path) && !path.endsWith('/config.ts'))
      report(index, 'process.env is read in config.ts only');
  }
  return findings;
}

/** From `def` to the last line that is indented deeper; a closing bracket of the signature does not end it. */
function checkPythonFunctions(path: string, lines: readonly string[]): Finding[] {
  return lines.flatMap((text, start) => {
    const indent = /^(\s*)(?:async )?def /.exec(text)?.[1]?.length;
    if (indent === undefined) return [];
    const isInside = (line: string) =>
      line.trim() === '' || line.search(/\S/) > indent || /^\s*\)/.test(line);
    const after = lines.findIndex((line, index) => index > start && !isInside(line));
    const body = lines.slice(start, after === -1 ? lines.length : after);
    const length = body.join('\n').trimEnd().split('\n').length;
    if (length <= PYTHON_FUNCTION_LINES_MAX) return [];
    return [
      {
        path,
        line: start + 1,
        message: `a function of ${length} lines; at most ${PYTHON_FUNCTION_LINES_MAX}`,
      },
    ];
  });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { files, findings } = tidy(root);
  for (const { path, line, message } of findings) console.log(`${path}:${line}: ${message}`);
  console.log(`tidy: ${files} files, ${findings.length} findings`);
  process.exitCode = findings.length > 0 ? 1 : 0;
}
