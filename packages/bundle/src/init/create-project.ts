// Makes a project from a template folder: answers, then files. Nothing is written before everything is rendered, and
// nothing that is there is overwritten.

import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, realpath, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import picomatch from 'picomatch';
import { BundleError } from '../deploy/bundle-error.ts';
import { isMissing } from '../load/list-files.ts';
import { errorAt } from '../problem.ts';
import { evaluateTemplate } from './evaluate-template.ts';
import type { TemplateFacts, TemplateValue } from './template-functions.ts';
import {
  type AnswerSources,
  type Answers,
  collectAnswers,
  parseTemplateSchema,
  SCHEMA_FILE,
  type TemplateSchema,
} from './template-schema.ts';
import { type ParsedTemplate, parseTemplate } from './template-syntax.ts';

const FILES_MAX = 5_000;
const FILE_BYTES_MAX = 10 * 1024 * 1024;
const TEMPLATE_SUFFIX = '.tmpl';

export interface ProjectOptions extends Pick<AnswerSources, 'given' | 'ask'> {
  /** Holds the schema, `template/` and perhaps `library/`. */
  readonly templateFolder: string;
  /** What all files of the template lie in, whatever links and its schema say; templateFolder where left out. */
  readonly templateRoot?: string;
  readonly outputFolder: string;
  readonly facts: Omit<TemplateFacts, 'bundleUuid'>;
  /** Told before the first question. */
  readonly onWelcome?: (message: string) => void;
}

export interface CreatedProject {
  /** Relative to the output folder, sorted. */
  readonly files: readonly string[];
  readonly answers: Answers;
  readonly successMessage: string | null;
}

interface RenderedFile {
  readonly path: string;
  readonly content: Uint8Array | string;
  readonly isExecutable: boolean;
}

export async function createProject(options: ProjectOptions): Promise<CreatedProject> {
  const folder = path.resolve(options.templateFolder);
  const root = path.resolve(options.templateRoot ?? folder);
  const schema = await readSchema(folder, root);
  const library = await readLibrary(folder, root);
  const renderer = new Renderer({ ...options.facts, bundleUuid: randomUUID() }, library);
  if (schema.welcome_message !== undefined) options.onWelcome?.(renderer.render(schema.welcome_message, {}));
  const answers = await collectAnswers(schema, {
    given: options.given,
    ask: options.ask,
    render: (text, known) => renderer.render(text, known),
  });
  const source = path.join(folder, schema.template_dir ?? 'template');
  const files = await renderFolder(source, { root, renderer, answers });
  await writeProject(files, path.resolve(options.outputFolder));
  const message = schema.success_message;
  return {
    files: files.map((file) => file.path),
    answers,
    successMessage: message === undefined ? null : renderer.render(message, answers),
  };
}

async function readSchema(folder: string, root: string): Promise<TemplateSchema> {
  const file = path.join(folder, SCHEMA_FILE);
  try {
    return parseTemplateSchema(await readFile(await confine(file, root), 'utf8'), SCHEMA_FILE);
  } catch (error) {
    if (!isMissing(error)) throw error;
    const message = `is not in ${folder}; a template is a folder with this file and the folder template/ beside it`;
    throw new BundleError([errorAt({ file: SCHEMA_FILE, line: 1, column: 1 }, message)], { cause: error });
  }
}

/** `define`s that all files of the template may call. */
async function readLibrary(folder: string, root: string): Promise<ParsedTemplate['definitions']> {
  const definitions = new Map<string, ParsedTemplate['nodes']>();
  const library = path.join(folder, 'library');
  for (const file of await listTemplateFiles(library, root)) {
    if (!file.endsWith(TEMPLATE_SUFFIX)) continue;
    const parsed = parseTemplate(await readFile(path.join(library, file), 'utf8'), `library/${file}`);
    for (const [name, nodes] of parsed.definitions) definitions.set(name, nodes);
  }
  return definitions;
}

class Renderer {
  /** Patterns that `skip` named, of paths as they are written. */
  readonly skipped: string[] = [];
  private readonly facts: TemplateFacts;
  private readonly library: ParsedTemplate['definitions'];

  constructor(facts: TemplateFacts, library: ParsedTemplate['definitions']) {
    this.facts = facts;
    this.library = library;
  }

  render(
    text: string,
    answers: Readonly<Record<string, TemplateValue>>,
    place: { readonly file: string; readonly folder: string } = { file: SCHEMA_FILE, folder: '' },
  ): string {
    const parsed = parseTemplate(text, place.file);
    const template = { ...parsed, definitions: new Map([...this.library, ...parsed.definitions]) };
    return evaluateTemplate(template, answers, {
      facts: this.facts,
      onSkip: (pattern) => this.skipped.push(path.posix.join(place.folder, pattern)),
    });
  }
}

async function renderFolder(
  folder: string,
  { root, renderer, answers }: { root: string; renderer: Renderer; answers: Answers },
): Promise<RenderedFile[]> {
  const rendered: RenderedFile[] = [];
  for (const file of await listTemplateFiles(folder, root)) {
    const name = renderer.render(file, answers, { file: `template/${file}`, folder: '' });
    const place = { file: `template/${file}`, folder: path.posix.dirname(name) };
    const source = path.join(folder, file);
    const { size, mode } = await stat(source);
    if (size > FILE_BYTES_MAX) throw failIn(place.file, 'is larger than 10 MB');
    const bytes = await readFile(source);
    const isTemplate = name.endsWith(TEMPLATE_SUFFIX);
    rendered.push({
      path: checkPath(isTemplate ? name.slice(0, -TEMPLATE_SUFFIX.length) : name, place.file),
      content: isTemplate ? renderer.render(bytes.toString('utf8'), answers, place) : bytes,
      isExecutable: (mode & 0o100) !== 0,
    });
  }
  const isSkipped = picomatch(
    renderer.skipped.flatMap((pattern) => [pattern, `${pattern}/**`]),
    { dot: true },
  );
  const kept = rendered.filter((file) => renderer.skipped.length === 0 || !isSkipped(file.path));
  if (kept.length === 0) throw failIn('template', 'the template gives no file');
  return kept.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Relative paths of plain files; links are not followed, since they may lead anywhere. */
async function listTemplateFiles(folder: string, root: string): Promise<string[]> {
  try {
    // The listing follows a link at its top.
    await confine(folder, root);
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    const files = entries
      .filter((entry) => entry.isFile())
      .map((entry) =>
        path.relative(folder, path.join(entry.parentPath, entry.name)).split(path.sep).join('/'),
      );
    if (files.length > FILES_MAX) throw failIn(folder, `holds more than ${FILES_MAX} files`);
    return files.sort();
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

/** Where a place really is. A template may be a stranger's: none of its links and paths reads what is not its own. */
async function confine(place: string, root: string): Promise<string> {
  const [real, realRoot] = await Promise.all([realpath(place), realpath(root)]);
  const below = path.relative(realRoot, real);
  if (below === '..' || below.startsWith(`..${path.sep}`) || path.isAbsolute(below))
    throw failIn(path.relative(root, place) || SCHEMA_FILE, 'leads out of the template');
  return real;
}

/** An answer may be part of a path, and must not lead out of the project. */
function checkPath(rendered: string, file: string): string {
  const normal = path.posix.normalize(rendered);
  const isOutside = normal.startsWith('..') || path.posix.isAbsolute(normal) || /[\0\\]/.test(normal);
  if (isOutside || normal.endsWith('/') || path.posix.basename(normal) === '.')
    throw failIn(file, `its name becomes '${rendered}', which is no place in the project`);
  return normal;
}

async function writeProject(files: readonly RenderedFile[], folder: string): Promise<void> {
  const paths = files.map((file) => file.path);
  const twice = paths.find((name, index) => paths.indexOf(name) !== index);
  if (twice !== undefined) throw failIn(twice, 'two files of the template get this name');
  const there: string[] = [];
  for (const file of files) if (await exists(path.join(folder, file.path))) there.push(file.path);
  if (there.length > 0) {
    throw new BundleError(
      there.map((name) =>
        errorAt({ file: name, line: 1, column: 1 }, `exists already in ${folder}; nothing was written`),
      ),
    );
  }
  for (const file of files) {
    const target = path.join(folder, file.path);
    await mkdir(path.dirname(target), { recursive: true });
    // `wx`: what appeared meanwhile is not overwritten either.
    await writeFile(target, file.content, { flag: 'wx', mode: file.isExecutable ? 0o755 : 0o644 });
  }
}

async function exists(file: string): Promise<boolean> {
  try {
    await stat(file);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

function failIn(file: string, message: string): BundleError {
  return new BundleError([errorAt({ file, line: 1, column: 1 }, message)]);
}
